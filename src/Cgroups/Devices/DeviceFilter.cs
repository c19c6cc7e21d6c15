using Isolation.Linux;

namespace Isolation.Cgroups;

/// <summary>
/// The program that decides about devices for a v2 group, and for the groups beneath it. The kernel keeps it with the
/// group; nothing has to stay open, and it goes when the group goes.
/// </summary>
/// <remarks>
/// Programs of others on the group (systemd's DeviceAllow=) stay: the kernel asks all of them, those of the parent groups
/// too, and a device is allowed where all agree. Ours is known by its name, so that another process than the one that
/// attached it can update it. Safe from any thread; two updates of one group at once must not be.
/// </remarks>
internal static class DeviceFilter
{
    /// <summary>What <c>bpftool cgroup show</c> calls it.</summary>
    internal const string Name = "isolation_dev";

    /// <summary>From now on the rules hold for processes of the group, in the place of those applied before. Files that are open stay open.</summary>
    /// <param name="group">The group's directory.</param>
    /// <param name="path">Its path, for messages.</param>
    /// <param name="rules">The last about a use decides.</param>
    /// <exception cref="CgroupException">The caller may not (NotPermitted), the kernel cannot (NotSupported), the group is removed (Gone), or the program is refused (Failed, with the verifier's words).</exception>
    internal static void Apply(FileDescriptor group, string path, IReadOnlyList<DeviceRule> rules)
    {
        using FileDescriptor program = Load(path, rules);
        List<FileDescriptor> former = Attached(group, path);
        try
        {
            // The first is replaced in one step: at no moment is there no program, or are there two.
            Attach(program, group, path, former.FirstOrDefault());
            foreach (FileDescriptor rest in former.Skip(1)) Detach(rest, group, path);
        }
        finally
        {
            former.ForEach(one => one.Dispose());
        }
    }

    /// <summary>Takes the rules away; without any there, does nothing.</summary>
    /// <returns>Whether there were rules.</returns>
    /// <exception cref="CgroupException">The caller may not (NotPermitted), or the group is removed (Gone).</exception>
    internal static bool Remove(FileDescriptor group, string path)
    {
        List<FileDescriptor> attached = Attached(group, path);
        try
        {
            foreach (FileDescriptor program in attached) Detach(program, group, path);
            return attached.Count > 0;
        }
        finally
        {
            attached.ForEach(one => one.Dispose());
        }
    }

    private static FileDescriptor Load(string path, IReadOnlyList<DeviceRule> rules)
    {
        byte[] instructions = DeviceProgram.Assemble(rules);
        nint result = BpfCalls.TryLoad(Abi.BPF_PROG_TYPE_CGROUP_DEVICE, Abi.BPF_CGROUP_DEVICE, instructions, Name, out string log);
        if (Syscall.IsError(result)) throw DeviceFilterFailure.OfLoading(path, result, instructions.Length, log);
        return new FileDescriptor((int)result);
    }

    private static void Attach(FileDescriptor program, FileDescriptor group, string path, FileDescriptor? replaced)
    {
        nint result = BpfCalls.TryAttach(program, group, Abi.BPF_CGROUP_DEVICE, Abi.BPF_F_ALLOW_MULTI, replaced);
        if (Syscall.IsError(result)) throw DeviceFilterFailure.Of("BPF_PROG_ATTACH", "attach the program about devices to", path, result);
    }

    private static void Detach(FileDescriptor program, FileDescriptor group, string path)
    {
        nint result = BpfCalls.TryDetach(program, group, Abi.BPF_CGROUP_DEVICE);
        // Somebody else was faster, which comes to the same.
        if (Syscall.IsError(result) && !Syscall.Is(result, Errno.ENOENT)) throw DeviceFilterFailure.Of("BPF_PROG_DETACH", "detach the program about devices from", path, result);
    }

    /// <summary>Ours among the programs of this group, in order.</summary>
    private static List<FileDescriptor> Attached(FileDescriptor group, string path)
    {
        nint result = BpfCalls.TryQuery(group, Abi.BPF_CGROUP_DEVICE, out uint[] programs);
        if (Syscall.IsError(result)) throw DeviceFilterFailure.Of("BPF_PROG_QUERY", "list the programs about devices of", path, result);
        List<FileDescriptor> ours = [];
        try
        {
            foreach (uint number in programs)
            {
                result = BpfCalls.TryOpen(number);
                if (Syscall.Is(result, Errno.ENOENT)) continue;
                if (Syscall.IsError(result)) throw DeviceFilterFailure.Of("BPF_PROG_GET_FD_BY_ID", "open a program about devices of", path, result);
                var program = new FileDescriptor((int)result);
                ours.Add(program);
                result = BpfCalls.TryName(program, out string name);
                if (Syscall.IsError(result)) throw DeviceFilterFailure.Of("BPF_OBJ_GET_INFO_BY_FD", "name a program about devices of", path, result);
                if (name == Name) continue;
                ours.Remove(program);
                program.Dispose();
            }
            return ours;
        }
        catch
        {
            ours.ForEach(one => one.Dispose());
            throw;
        }
    }
}
