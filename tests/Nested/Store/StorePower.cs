using System.Globalization;
using Isolation.Linux;

namespace Isolation.Nested;

/// <summary>
/// The power goes in the middle of an operation on a store, before another call each time, and comes back: ext4 on a loop
/// device, which is shut down without its journal written out (ioctl EXT4_IOC_SHUTDOWN, fs/ext4/ext4.h), and mounted again. To be started in a
/// mount namespace of its own, whose end takes all mounts with it.
/// </summary>
internal static class StorePower
{
    internal static async Task<int> RunAsync(string directory, string name, bool all, int most)
    {
        // The backing files in memory: what is lost is told by the file system on them, and not by the machine's disk.
        await StoreKiller.ToolAsync("mount", "-t", "tmpfs", "tmpfs", directory);
        string sources = Directory.CreateDirectory(Path.Join(directory, "sources")).FullName, before = Path.Join(directory, "before.ext4"), disk = Path.Join(directory, "disk");
        Directory.CreateDirectory(disk);
        StoreOperation operation = new(name, sources);
        await StoreKiller.ToolAsync("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", before, "16M");
        await MountAsync(before, disk);
        string store = Path.Join(disk, "store");
        await operation.PrepareAsync(store);
        await UnmountAsync(disk);
        StoreCuts.Report("control", 0, "", await ControlAsync(directory, before, disk));

        int count = await OnCopyAsync(directory, before, disk, () => StoreCuts.CountAsync(all, () => operation.RunAsync(store)));
        foreach (int number in StoreCuts.Numbers(count, most))
        {
            string copy = Path.Join(directory, "cut.ext4");
            await StoreKiller.ToolAsync("cp", "--sparse=always", before, copy);
            await MountAsync(copy, disk);
            string outcome;
            using (FileDescriptor root = FileDescriptor.Open(disk, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY))
            {
                Func<int> stop = StoreCuts.At(all, number, _ =>
                {
                    Shutdown(root);
                    return -(int)Errno.EIO;
                });
                outcome = await StoreFailures.OutcomeAsync(() => operation.RunAsync(store));
                stop();
                if (number > count) Shutdown(root); // at once when it was done
            }

            await UnmountAsync(disk);
            await MountAsync(copy, disk);
            StoreCuts.Report(name, number, outcome, await StoreCheck.AsWasAsync(operation, store, outcome == "done"));
            await UnmountAsync(disk);
        }

        return 0;
    }

    /// <summary>That such a shutdown does lose what nobody has brought to disk, and keeps what somebody has.</summary>
    private static async Task<string> ControlAsync(string directory, string before, string disk)
    {
        string copy = Path.Join(directory, "control.ext4"), lost = Path.Join(disk, "lost"), kept = Path.Join(disk, "kept");
        await StoreKiller.ToolAsync("cp", "--sparse=always", before, copy);
        await MountAsync(copy, disk);
        using (FileDescriptor root = FileDescriptor.Open(disk, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY))
        {
            await File.WriteAllTextAsync(kept, "kept");
            using (FileDescriptor file = FileDescriptor.Open(kept, Abi.O_RDONLY)) Syscall.Check(FileEntries.Sync(file), "fsync");
            Syscall.Check(FileEntries.Sync(root), "fsync");
            await File.WriteAllTextAsync(lost, "lost");
            Shutdown(root);
        }

        await UnmountAsync(disk);
        await MountAsync(copy, disk);
        bool isLost = new FileInfo(lost) is not { Exists: true, Length: > 0 }, isKept = File.Exists(kept) && await File.ReadAllTextAsync(kept) == "kept";
        await UnmountAsync(disk);
        return isLost && isKept ? "nothing" : $"lost: {isLost}, kept: {isKept}";
    }

    private static async Task<int> OnCopyAsync(string directory, string before, string disk, Func<Task<int>> run)
    {
        string copy = Path.Join(directory, "count.ext4");
        await StoreKiller.ToolAsync("cp", "--sparse=always", before, copy);
        await MountAsync(copy, disk);
        int result = await run();
        await UnmountAsync(disk);
        return result;
    }

    private static Task MountAsync(string file, string disk) => StoreKiller.ToolAsync("mount", "-o", "loop", file, disk);

    private static async Task UnmountAsync(string disk)
    {
        const int MostTries = 500;
        for (int i = 0; ; i++)
        {
            StoreCheck.LetGo(); // leases are open files on it
            try
            {
                await StoreKiller.ToolAsync("umount", disk);
                return;
            }
            catch (InvalidOperationException) when (i < MostTries)
            {
                await Task.Delay(20);
            }
        }
    }

    private static unsafe void Shutdown(FileDescriptor root)
    {
        const uint ShutDown = 0x8004587d; // _IOR('X', 125, __u32)
        uint withoutJournal = 2; // EXT4_GOING_FLAGS_NOLOGFLUSH
        using var held = root.Hold();
        Syscall.Check(Syscall.Invoke(SystemCall.ioctl, held.Number, unchecked((nint)ShutDown), (nint)(&withoutJournal)), "ioctl", string.Create(CultureInfo.InvariantCulture, $"{held.Number}, EXT4_IOC_SHUTDOWN"));
    }
}
