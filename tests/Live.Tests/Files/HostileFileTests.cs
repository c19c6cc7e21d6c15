using Isolation.Linux;

namespace Isolation.Live.Tests;

/// <summary>CVE-2018-15664 and its like: what is copied is changed by who it belongs to while it is copied.</summary>
public sealed class HostileFileTests
{
    private const int Rounds = 400;

    [Fact]
    [Trait("Category", "Slow")]
    public async Task Swapping_directories_and_files_for_links_leads_nowhere()
    {
        using TestRoot root = new();
        using TemporaryDirectory host = new();
        string canary = host.Write("outside/inner/file", "canary");
        host.Write("in/inner/file", "written");
        host.MakeDirectory("out");
        string outwards = string.Concat(Enumerable.Repeat("../", 20)) + host["outside"][1..];
        root.Write("data/inner/file", "container");
        root.Write("data/single", "container");
        File.CreateSymbolicLink(root["data/link"], outwards + "/inner");
        File.CreateSymbolicLink(root["data/file-link"], canary);
        root.Write("other/inner/file", "container");
        File.CreateSymbolicLink(root["other-link"], outwards);
        string[] before = TreeSnapshot.Of(host["outside"]);
        await using Container container = await root.Container(RootAccess.ReadWrite, "sleep", "1000").BeginAsync();
        using CancellationTokenSource stop = new();
        // In one step each, so that no name is ever free. The container could do the same, only more slowly.
        Thread swapper = new(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                FileTree.Exchange(root["data/inner"], root["data/link"]);
                FileTree.Exchange(root["data/single"], root["data/file-link"]);
                FileTree.Exchange(root["other"], root["other-link"]);
            }
        });
        swapper.Start();
        int done = 0, refused = 0, seen = 0;
        try
        {
            for (int round = 0; round < Rounds; round++)
            {
                string copy = host[$"out/{round}"], other = host[$"out/other-{round}"];
                await TryAsync(() => container.Files.CopyFromAsync("/other/inner", other, cancellationToken: Sandbox.Token));
                await TryAsync(() => container.Files.CopyToAsync(host["in"] + "/.", "/other", cancellationToken: Sandbox.Token));
                await TryAsync(() => container.Files.CopyFromAsync("/data", copy, cancellationToken: Sandbox.Token));
                await TryAsync(() => container.Files.CopyToAsync(host["in"] + "/.", "/data", cancellationToken: Sandbox.Token));
                await TryAsync(() => container.Files.CopyToAsync(host["in/inner/file"], "/data/inner/file", cancellationToken: Sandbox.Token));
                await TryAsync(() =>
                {
                    using StreamReader reader = new(container.Files.OpenRead("/data/single"));
                    Assert.DoesNotContain("canary", reader.ReadToEnd(), StringComparison.Ordinal);
                    return Task.CompletedTask;
                });
                await TryAsync(() =>
                {
                    using Stream stream = container.Files.OpenWrite("/data/single");
                    stream.Write("written"u8);
                    return Task.CompletedTask;
                });
                foreach (FileInfo file in new DirectoryInfo(host["out"]).EnumerateFiles("*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint }))
                {
                    Assert.NotEqual("canary", await File.ReadAllTextAsync(file.FullName, Sandbox.Token));
                    seen++;
                }

                Directory.Delete(host["out"], recursive: true);
                host.MakeDirectory("out");
            }
        }
        finally
        {
            await stop.CancelAsync();
            swapper.Join();
        }

        Assert.Equal(before, TreeSnapshot.Of(host["outside"]));
        Assert.Equal(7 * Rounds, done + refused);
        Assert.True(done > 0 && seen > 0, $"{done} done, {refused} refused, {seen} files seen");

        async Task TryAsync(Func<Task> operation)
        {
            try
            {
                await operation();
                done++;
            }
            catch (ContainerException)
            {
                refused++;
            }
        }
    }

    [Fact]
    public async Task A_link_that_was_copied_is_never_written_through()
    {
        using TemporaryDirectory host = new();
        host.Write("outside/file", "canary");
        host.MakeDirectory("out/d");
        await using Container container = await Sandbox.SleeperAsync();
        await container.ExecShellAsync($"mkdir -p /tmp/first /tmp/second/name; ln -s {host["outside"]} /tmp/first/name; echo evil > /tmp/second/name/file; ln -s {host["outside/file"]} /tmp/first/f; echo evil > /tmp/second/f");
        await container.Files.CopyFromAsync("/tmp/first/.", host["out/d"], cancellationToken: Sandbox.Token);

        ContainerException failure = await Assert.ThrowsAsync<ContainerException>(() => container.Files.CopyFromAsync("/tmp/second/name", host["out/d/"] + ".", cancellationToken: Sandbox.Token));
        await container.Files.CopyFromAsync("/tmp/second/f", host["out/d"], cancellationToken: Sandbox.Token);

        Assert.Equal(Errno.ENOTDIR, failure.Errno);
        Assert.Equal("canary", File.ReadAllText(host["outside/file"]));
        Assert.Equal(("evil\n", null), (File.ReadAllText(host["out/d/f"]), new FileInfo(host["out/d/f"]).LinkTarget));
    }

    [Fact]
    [Trait("Category", "Slow")]
    public async Task A_tree_of_ten_thousand_levels_goes_in_and_out()
    {
        const int Levels = 10_000;
        using TemporaryDirectory host = new();
        Make(host.MakeDirectory("deep"), Levels);
        await using Container container = await Sandbox.SleeperAsync();
        try
        {
            FileCopyResult into = await container.Files.CopyToAsync(host["deep"], "/run/deep", cancellationToken: Sandbox.Token);
            FileCopyResult back = await container.Files.CopyFromAsync("/run/deep", host["back"], cancellationToken: Sandbox.Token);

            Assert.Equal((Levels + 1, 2), (into.Directories, into.Files));
            Assert.Equal(into, back);
            Assert.Equal(Levels + 2, container.Files.Enumerate("/run/deep", recursive: true).Count());
            (_, string bottom, _) = await Sandbox.OnHostAsync("find", host["back"], "-type", "f", "-links", "2", "-printf", "%d ");
            Assert.Equal([1, Levels + 1], bottom.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse).Order());
        }
        finally
        {
            await FileTree.RemoveAsync(host["deep"]);
            await FileTree.RemoveAsync(host["back"]);
        }
    }

    [Fact]
    public async Task Names_that_are_not_text_are_copied_byte_by_byte()
    {
        using TemporaryDirectory host = new();
        await using Container container = await Sandbox.SleeperAsync();
        await container.ExecShellAsync("mkdir /tmp/odd; cd /tmp/odd; for n in 'a\\377b' '\\200' 'new\\nline' '\\033[31m' '-rf' '*'; do touch -- \"$(printf -- \"$n\")\"; done; ln -s \"$(printf '\\376')\" link");

        FileCopyResult copied = await container.Files.CopyFromAsync("/tmp/odd", host["odd"], cancellationToken: Sandbox.Token);

        Assert.Equal((6, 1), (copied.Files, copied.Links));
        (_, string names, _) = await Sandbox.OnHostAsync("sh", "-c", $"cd {host["odd"]} && find . -type f -printf '%f\\0' | sort -z | od -An -tx1 -v | tr -d ' \\n'; readlink link | od -An -tx1");
        string inside = await container.ExecShellAsync("cd /tmp/odd && find . -type f -printf '%f\\0' | sort -z | od -An -tx1 -v | tr -d ' \\n'; readlink link | od -An -tx1");
        await FileTree.RemoveAsync(host["odd"]); // .NET cannot: it has no names for them
        Assert.Equal(inside, names.TrimEnd('\n'));
    }

    [Fact]
    public async Task A_tree_that_changes_all_the_time_is_copied_or_refused()
    {
        using TemporaryDirectory host = new();
        await using Container container = await Sandbox.HostShell("mkdir -p /tmp/t/a; echo ready; i=0; while :; do i=$((i+1)); echo $i > /tmp/t/f$((i % 50)); mkdir /tmp/t/a/$((i % 9)) && mv /tmp/t/a /tmp/t/b && mv /tmp/t/b /tmp/t/a; rm -rf /tmp/t/f$((i % 31)) /tmp/t/a/$((i % 7)); done 2>/dev/null")
            .WithOutput(OutputTarget.Pipe).BeginAsync();
        await container.StandardOutput.ReadUntilAsync("ready");
        int done = 0;
        for (int round = 0; round < 100; round++)
        {
            try
            {
                await container.Files.CopyFromAsync("/tmp/t", host[$"{round}"], cancellationToken: Sandbox.Token);
                done++;
            }
            catch (ContainerException exception)
            {
                Assert.Equal(ContainerErrorReason.FileAccessFailed, exception.Reason);
            }
        }

        Assert.True(done > 0);
    }

    /// <summary>One directory in the other, with two names of one file at the top and at the bottom.</summary>
    private static void Make(string top, int levels)
    {
        OwnFileCalls calls = OwnFileCalls.Instance;
        FileDescriptor first = FileDescriptor.Open(top, Abi.O_PATH), current = Descriptors.Duplicate(first);
        for (int i = 0; i < levels; i++)
        {
            Syscall.Check(calls.MakeDirectory(current, "d\0"u8, 0x1ED), "mkdir");
            FileDescriptor below = new((int)Syscall.Check(calls.Open(current, "d\0"u8, Abi.O_PATH), "open"));
            current.Dispose();
            current = below;
        }

        using (first)
        using (current)
        {
            new FileDescriptor((int)Syscall.Check(calls.Open(current, "bottom\0"u8, Abi.O_WRONLY | Abi.O_CREAT | Abi.O_EXCL, 0x1A4), "open")).Dispose();
            Syscall.Check(calls.AddName(current, "bottom\0"u8, first, "top\0"u8), "link");
        }
    }
}

/// <summary>What the files of containers leave behind.</summary>
[Collection(nameof(Alone))]
public sealed class FileLeakTests
{
    [Fact]
    public async Task Nothing_is_left_open()
    {
        using TemporaryDirectory host = new();
        FileTree.Make(host["tree"]);
        ContainerBuilder builder = Sandbox.Host("sleep", "1000");
        if (Lane.IsRoot) builder.WithUserMapping(new IdMapping(0, 300000, 65536)).WithGroupMapping(new IdMapping(0, 400000, 65536));
        await using Container container = await builder.BeginAsync();
        await OnceAsync(0);
        HostState before = HostState.Read();

        for (int i = 1; i <= 20; i++) await OnceAsync(i);

        await before.ReturnsAsync();

        async Task OnceAsync(int round)
        {
            ContainerFiles files = container.Files;
            await files.CopyToAsync(host["tree"], $"/tmp/{round}", cancellationToken: Sandbox.Token);
            await files.CopyFromAsync($"/tmp/{round}", host[$"{round}"], cancellationToken: Sandbox.Token);
            await Assert.ThrowsAsync<ContainerException>(() => files.CopyFromAsync("/dev", host[$"dev{round}"], cancellationToken: Sandbox.Token));
            await Assert.ThrowsAsync<ContainerException>(() => files.CopyToAsync(host["tree"], "/none/such", cancellationToken: Sandbox.Token));
            Assert.Throws<ContainerException>(() => files.OpenRead("/tmp/fifo"));
            using (files.OpenWrite($"/tmp/{round}/new"))
            using (files.OpenRead($"/tmp/{round}/a/plain"))
                Assert.NotEmpty(files.Enumerate($"/tmp/{round}", recursive: true).Take(3));
            Assert.True(files.Exists("/tmp"));
        }
    }
}
