using System.Diagnostics;
using System.Globalization;
using Isolation.Cgroups;

namespace Isolation.Nested;

/// <summary>What other processes do with a state directory.</summary>
internal static class StateModes
{
    internal static async Task<int> RunAsync(Queue<string> words) => words.Dequeue() switch
    {
        "hold" => await HoldAsync(words),
        "open" => await OpenAsync(words.Dequeue()),
        "die" => Die(words.Dequeue(), int.Parse(words.Dequeue(), CultureInfo.InvariantCulture)),
        "full" => await FullAsync(words.Dequeue()),
        string other => throw new ArgumentException($"There is no mode 'state {other}'."),
    };

    /// <summary>Starts a container, says its id and process, and waits to be killed, or for the end of its input.</summary>
    private static async Task<int> HoldAsync(Queue<string> words)
    {
        IsolationHost host = await IsolationHost.OpenAsync(words.Dequeue());
        ContainerBuilder builder = new ContainerBuilder().FromHost().WithHost(host);
        Queue<string> options = new(words.Dequeue().Split(','));
        if (options.Contains("outlive")) builder.OutliveHost().WithOutput(OutputTarget.Discard).WithError(OutputTarget.Discard);
        if (options.Contains("hostpid")) builder.WithPidNs(NamespaceSource.Host);
        string? paused = options.FirstOrDefault(option => option.StartsWith("pause:", StringComparison.Ordinal));
        if (paused is not null) builder.WithCgroupControllers(Enum.Parse<CgroupController>(paused["pause:".Length..]));
        if (options.Contains("netclass")) builder.WithNetClass(0x10001).WithCgroupMounts(CgroupController.NetClass);
        if (options.FirstOrDefault(option => option.StartsWith("layers:", StringComparison.Ordinal)) is { } layers)
            builder.FromLayers([layers.Split(':')[2]]).WithUnionDriver(Enum.Parse<UnionFs.UnionDriver>(layers.Split(':')[1]));
        if (options.FirstOrDefault(option => option.StartsWith("image:", StringComparison.Ordinal)) is { } image)
            builder.FromImage(image.Split('=')[1]).WithImageStore(await Images.ImageStore.OpenAsync(image["image:".Length..image.IndexOf('=', StringComparison.Ordinal)]));
        if (options.Contains("detached"))
        {
            DetachedContainer detached = await builder.WithCommand([.. words]).DetachAsync();
            Console.WriteLine($"{detached.Id} {detached.ProcessId}");
            await Console.In.ReadLineAsync();
            return 0;
        }

        Container container = await builder.WithCommand([.. words]).StartAsync();
        if (paused is not null) await container.PauseAsync();
        Console.WriteLine($"{container.Id} {container.ProcessId}");
        await Console.In.ReadLineAsync();
        if (options.Contains("dispose")) await host.DisposeAsync();
        return 0;
    }

    private static async Task<int> OpenAsync(string directory)
    {
        await using IsolationHost host = await IsolationHost.OpenAsync(directory);
        HostRecovery recovery = host.Recovery;
        Console.WriteLine($"{recovery.Removed.Count} {recovery.ProcessesKilled} {recovery.SetAside.Count} {recovery.Left.Count}");
        return 0;
    }

    /// <summary>Opens, and dies before a step of the recovery.</summary>
    private static int Die(string directory, int before)
    {
        using Process self = Process.GetCurrentProcess();
        int steps = 0;
        IsolationHost.Open(directory, isDefault: false, step =>
        {
            if (steps++ == before) self.Kill();
        }, CancellationToken.None);
        Console.WriteLine(steps);
        return 0;
    }

    /// <summary>A state directory without room, or without inodes: nothing is started and nothing is left.</summary>
    private static async Task<int> FullAsync(string directory)
    {
        await using IsolationHost host = await IsolationHost.OpenAsync(Path.Join(directory, "state"));
        ContainerSpec spec = new ContainerBuilder().FromHost().WithHost(host).WithCommand("true").Build();
        await spec.RunAsync();
        int fill = await FillAsync(directory);
        Console.WriteLine(await RefusalAsync(spec, host)); // and what the runtime opens for the first exception and the console is open
        int descriptors = Directory.GetFileSystemEntries("/proc/self/fd").Length;
        await RefusalAsync(spec, host);
        Console.WriteLine($"{Directory.GetFileSystemEntries("/proc/self/fd").Length - descriptors} {Directory.GetFiles(host.StateDirectory, "*", SearchOption.AllDirectories).Length}");
        for (int i = 0; i <= fill; i++) File.Delete(Path.Join(directory, $"fill{i}"));
        Console.WriteLine((await spec.RunAsync()).ExitCode);
        return 0;
    }

    private static async Task<string> RefusalAsync(ContainerSpec spec, IsolationHost host)
    {
        try
        {
            await spec.RunAsync();
            return "started";
        }
        catch (ContainerException exception)
        {
            return $"{exception.Reason} {exception.Errno} {exception.Message.Contains(host.StateDirectory, StringComparison.Ordinal)}";
        }
    }

    /// <summary>Fills the file system with one long file, or with many empty ones.</summary>
    private static async Task<int> FillAsync(string directory)
    {
        int files = 0;
        try
        {
            for (; files < 1000; files++)
            {
                await using FileStream file = new(Path.Join(directory, $"fill{files}"), FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
                for (int i = 0; files == 0 && i < 1000; i++) await file.WriteAsync(new byte[4096]);
            }
        }
        catch (IOException)
        {
            // full
        }

        return files;
    }
}
