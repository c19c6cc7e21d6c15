using System.Globalization;
using Isolation.Linux;

namespace Isolation.Nested;

/// <summary>Comes up to a limit of the kernel's in the middle of launches, and goes on below it.</summary>
internal static class LimitModes
{
    private const int More = 60; // descriptors, beyond those that are open

    internal static async Task<int> RunAsync(string state, string limit, string count)
    {
        await using IsolationHost host = await IsolationHost.OpenAsync(state);
        ContainerSpec spec = new ContainerBuilder().FromHost().WithHost(host).WithCommand("/bin/sleep", "1000000").WithInput(InputSource.Pipe).Build();
        await (await spec.StartAsync()).DisposeAsync();
        Console.WriteLine("number\toutcome\tleft behind");
        try
        {
            throw new LinuxException("warm", "", Errno.EMFILE); // what the runtime opens for the first exception is open
        }
        catch (LinuxException exception)
        {
            _ = exception.ToString();
        }

        Leftovers before = Leftovers.Read(state);
        ulong most = limit == "descriptors" ? (ulong)(Directory.GetFileSystemEntries("/proc/self/fd").Length + More) : ulong.Parse(count, CultureInfo.InvariantCulture);
        SetLimit(limit == "descriptors" ? 7 /* RLIMIT_NOFILE */ : 6 /* RLIMIT_NPROC */, most);
        List<Container> containers = [];
        for (int round = 0; round < 8; round++)
        {
            // A different number is open each time, so that another call of the launch is the one that meets the limit.
            using FileDescriptor? one = round % 2 == 1 ? FileDescriptor.Open("/", Abi.O_PATH) : null;
            using FileDescriptor? another = round % 4 >= 2 ? FileDescriptor.Open("/", Abi.O_PATH) : null;
            string outcome = await FillAsync(spec, containers);
            foreach (Container container in containers) await container.DisposeAsync();
            int started = containers.Count;
            containers.Clear();
            one?.Dispose();
            another?.Dispose();
            string left = await before.SettleAsync();
            await using Container next = await spec.StartAsync();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{started}\t{outcome}\t{left}"));
        }

        return 0;
    }

    private static async Task<string> FillAsync(ContainerSpec spec, List<Container> containers)
    {
        try
        {
            while (containers.Count < 1000) containers.Add(await spec.StartAsync().WaitAsync(TimeSpan.FromSeconds(20)));
            return "the limit was not met";
        }
        catch (ContainerException exception)
        {
            return $"{exception.Reason} {exception.Errno}: {exception.Message} {exception.Remedy}".ReplaceLineEndings(" ");
        }
    }

    private static unsafe void SetLimit(int kind, ulong most)
    {
        ulong* limit = stackalloc ulong[2];
        (limit[0], limit[1]) = (most, most);
        Syscall.Check(Syscall.Invoke(SystemCall.prlimit64, 0, kind, (nint)limit, 0), "prlimit64");
    }
}
