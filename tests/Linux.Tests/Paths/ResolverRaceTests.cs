using System.Text;

namespace Isolation.Linux.Tests;

/// <summary>
/// Somebody inside swaps directories for links, and moves them out of the root, as fast as the machine allows, while
/// paths through them are resolved. A control shows that the race is lost by a resolver that checks first and opens then.
/// </summary>
[Collection(nameof(Races))]
public class ResolverRaceTests
{
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(1.5);

    [Theory]
    [InlineData(nameof(PathResolver.OpenAt2))]
    [InlineData(nameof(PathResolver.Walk))]
    public void A_directory_swapped_for_a_link_to_the_outside_never_leads_there(string resolver)
    {
        var forced = ContainedPathTests.Forced(resolver);
        var (inside, outside, _) = SwapRace(root => TryRead(root, "d/secret", forced));
        Assert.Equal(0, outside);
        Assert.InRange(inside, 1, int.MaxValue);
    }

    [Fact]
    public void The_control_that_checks_first_is_led_outside()
    {
        var (_, outside, _) = SwapRace(root =>
        {
            string d = root.At("d");
            if (File.GetAttributes(d).HasFlag(FileAttributes.ReparsePoint)) return null;
            try
            {
                return File.ReadAllText(d + "/secret");
            }
            catch (IOException)
            {
                return null;
            }
        }, untilEscape: true);
        Assert.InRange(outside, 1, int.MaxValue);
    }

    [Theory]
    [InlineData(nameof(PathResolver.OpenAt2))]
    [InlineData(nameof(PathResolver.Walk))]
    public void A_directory_moved_out_of_the_root_never_leads_up_there(string resolver)
    {
        var forced = ContainedPathTests.Forced(resolver);
        using var root = new TemporaryRoot();
        root.Directories("a/b/c");
        using var stop = new CancellationTokenSource();
        int moves = 0;
        var mover = new Thread(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                // Out to where ".." twice more is the directory that holds the outside secret, and back.
                Directory.Move(root.At("a/b"), Path.Combine(root.Outside, "b"));
                Directory.Move(Path.Combine(root.Outside, "b"), root.At("a/b"));
                moves++;
            }
        });
        mover.Start();
        int inside = 0, outside = 0;
        var deadline = DateTime.UtcNow + Duration;
        while (DateTime.UtcNow < deadline)
        {
            foreach (string path in new[] { "a/b/c/../../../secret", "a/b/c/../../secret" })
            {
                string? text = TryRead(root, path, forced);
                if (text == "inside") inside++;
                if (text == "outside") outside++;
            }
        }
        stop.Cancel();
        mover.Join();
        Assert.Equal(0, outside);
        Assert.InRange(inside, 1, int.MaxValue);
        Assert.InRange(moves, 100, int.MaxValue);
    }

    [Fact]
    public void Directories_are_not_created_outside_through_a_link_swapped_in()
    {
        var (created, _, outside) = SwapRace(root =>
        {
            try
            {
                using var made = ContainedPath.CreateDirectories(root.Descriptor, "d/x/y");
                return "inside";
            }
            catch (LinuxException)
            {
                return null; // what is made can be swapped away before it is entered
            }
        });
        Assert.Empty(outside);
        Assert.InRange(created, 1, int.MaxValue);
    }

    [Theory]
    [InlineData(nameof(PathResolver.OpenAt2))]
    [InlineData(nameof(PathResolver.Walk))]
    public void A_file_swapped_for_a_link_to_the_outside_never_leads_there(string resolver)
    {
        var forced = ContainedPathTests.Forced(resolver);
        var (inside, outside, _) = SwapRace(root => TryRead(root, "d", forced), file: true);
        Assert.Equal(0, outside);
        Assert.InRange(inside, 1, int.MaxValue);
    }

    [Fact]
    public void A_machine_that_renames_elsewhere_all_the_time_does_not_stop_the_automatic_resolver()
    {
        Assert.SkipUnless(OpenAt2Resolver.Works, "openat2 does not work here, so there is nothing to fall back from.");
        using var root = new TemporaryRoot();
        root.Directories("a");
        string path = string.Concat(Enumerable.Repeat("a/../", 300)) + "secret";
        using var elsewhere = new TemporaryRoot();
        elsewhere.Directories("d", "e");
        using var stop = new CancellationTokenSource();
        var renamer = new Thread(() =>
        {
            while (!stop.IsCancellationRequested) Exchange(elsewhere.At("d"), elsewhere.At("e"));
        });
        renamer.Start();
        int refused = 0;
        try
        {
            // On a busy machine the renamer may get its turn rarely: until it has been met often enough, or not at all.
            var deadline = DateTime.UtcNow + TimeSpan.FromSeconds(60);
            while (refused < 20 && DateTime.UtcNow < deadline)
            {
                Assert.Equal("inside", TryRead(root, path, PathResolver.Automatic));
                nint result = ContainedPath.TryOpen(root.Descriptor, path, Abi.O_PATH, 0, PathResolver.OpenAt2);
                if (Syscall.Is(result, Errno.EAGAIN)) refused++;
                if (!Syscall.IsError(result)) Syscall.close((int)result);
            }
        }
        finally
        {
            stop.Cancel();
            renamer.Join();
        }
        // openat2 alone answers EAGAIN to ".." in the meantime, though nothing in the root changes.
        Assert.Equal(20, refused);
    }

    private static (int Inside, int Outside, string[] OutsideDirectories) SwapRace(Func<TemporaryRoot, string?> read, bool untilEscape = false, bool file = false)
    {
        using var root = new TemporaryRoot();
        if (file) root.Text("d", "inside").Link("link", Path.Combine(root.Outside, "secret"));
        else root.Directories("d").Text("d/secret", "inside").Link("link", root.Outside);
        using var stop = new CancellationTokenSource();
        int swaps = 0;
        var swapper = new Thread(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                Exchange(root.At("d"), root.At("link"));
                swaps++;
            }
        });
        swapper.Start();
        int inside = 0, outside = 0;
        var deadline = DateTime.UtcNow + (untilEscape ? TimeSpan.FromSeconds(60) : Duration);
        while (DateTime.UtcNow < deadline && !(untilEscape && outside > 0))
        {
            string? text = read(root);
            if (text == "inside") inside++;
            if (text == "outside") outside++;
        }
        stop.Cancel();
        swapper.Join();
        Assert.InRange(swaps, untilEscape ? 1 : 100, int.MaxValue);
        return (inside, outside, Directory.GetDirectories(root.Outside));
    }

    private static string? TryRead(TemporaryRoot root, string path, PathResolver resolver)
    {
        nint result = ContainedPath.TryOpen(root.Descriptor, path, Abi.O_RDONLY, 0, resolver);
        if (Syscall.IsError(result)) return null;
        using var file = new FileDescriptor((int)result);
        var buffer = new byte[64];
        return Encoding.UTF8.GetString(buffer, 0, Descriptors.Read(file, buffer));
    }

    private static unsafe void Exchange(string first, string second)
    {
        const int RENAME_EXCHANGE = 2;
        fixed (byte* a = Encoding.UTF8.GetBytes(first + "\0"), b = Encoding.UTF8.GetBytes(second + "\0"))
            Syscall.Check(Syscall.Invoke(SystemCall.renameat2, Abi.AT_FDCWD, (nint)a, Abi.AT_FDCWD, (nint)b, RENAME_EXCHANGE), "renameat2");
    }
}

/// <summary>These want the machine for themselves.</summary>
[CollectionDefinition(nameof(Races), DisableParallelization = true)]
public class Races;
