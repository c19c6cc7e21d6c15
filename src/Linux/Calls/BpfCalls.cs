using System.Runtime.InteropServices;
using System.Text;

namespace Isolation.Linux;

/// <summary>
/// bpf(2), as much as programs of control groups need. The <c>Try</c> forms return a descriptor, or 0, or <c>-errno</c>.
/// Safe from any thread.
/// </summary>
internal static unsafe class BpfCalls
{
    private const int LogBytes = 64 * 1024;
    private const int MostPrograms = 64; // BPF_CGROUP_MAX_PROGS of kernel/bpf/cgroup.c

    /// <param name="type">BPF_PROG_TYPE_….</param>
    /// <param name="attachType">BPF_CGROUP_…, which some kinds of programs are checked for as they are loaded.</param>
    /// <param name="instructions">An array of <c>struct bpf_insn</c>.</param>
    /// <param name="name">At most 15 letters, digits, dots and underscores: what <c>bpftool prog</c> shows.</param>
    /// <param name="log">The verifier's words about a program that it refused; empty when it was not asked.</param>
    internal static nint TryLoad(uint type, uint attachType, ReadOnlySpan<byte> instructions, string name, out string log)
    {
        log = "";
        fixed (byte* code = instructions)
        fixed (byte* license = "GPL\0"u8)
        {
            var attributes = new bpf_attr_load
            {
                prog_type = type,
                expected_attach_type = attachType,
                insns = (ulong)code,
                insn_cnt = (uint)(instructions.Length / sizeof(bpf_insn)),
                license = (ulong)license,
            };
            Encoding.ASCII.GetBytes(name, new Span<byte>(attributes.prog_name, Abi.BPF_OBJ_NAME_LEN - 1));
            // A busy verifier gives up with EAGAIN when a signal comes.
            nint result;
            do result = Call(Abi.BPF_PROG_LOAD, &attributes, sizeof(bpf_attr_load));
            while (Syscall.Is(result, Errno.EAGAIN));
            if (Syscall.ErrnoOf(result) is not (Errno.EINVAL or Errno.EACCES or Errno.E2BIG)) return result;

            // The log costs time, so only a program that failed without it is tried again with it.
            byte[] buffer = new byte[LogBytes];
            fixed (byte* text = buffer)
            {
                attributes.log_level = 1;
                attributes.log_size = LogBytes;
                attributes.log_buf = (ulong)text;
                nint again = Call(Abi.BPF_PROG_LOAD, &attributes, sizeof(bpf_attr_load));
                if (!Syscall.IsError(again)) return again;
                log = Encoding.UTF8.GetString(buffer.AsSpan(0, Math.Max(0, buffer.AsSpan().IndexOf((byte)0)))).Trim();
            }
            return result;
        }
    }

    /// <param name="program">From <see cref="TryLoad"/>.</param>
    /// <param name="group">A directory of a v2 hierarchy.</param>
    /// <param name="attachType">BPF_CGROUP_….</param>
    /// <param name="flags">BPF_F_ALLOW_MULTI and the like; BPF_F_REPLACE is added where there is one to replace.</param>
    /// <param name="replaced">The attached program whose place the new one takes, in one step.</param>
    internal static nint TryAttach(SafeHandle program, SafeHandle group, uint attachType, uint flags, SafeHandle? replaced = null)
    {
        using var held = program.Hold();
        using var heldGroup = group.Hold();
        using var heldReplaced = replaced is null ? default : replaced.Hold();
        var attributes = new bpf_attr_attach
        {
            target_fd = (uint)heldGroup.Number,
            attach_bpf_fd = (uint)held.Number,
            attach_type = attachType,
            attach_flags = replaced is null ? flags : flags | Abi.BPF_F_REPLACE,
            replace_bpf_fd = replaced is null ? 0 : (uint)heldReplaced.Number,
        };
        return Call(Abi.BPF_PROG_ATTACH, &attributes, sizeof(bpf_attr_attach));
    }

    internal static nint TryDetach(SafeHandle program, SafeHandle group, uint attachType)
    {
        using var held = program.Hold();
        using var heldGroup = group.Hold();
        var attributes = new bpf_attr_attach { target_fd = (uint)heldGroup.Number, attach_bpf_fd = (uint)held.Number, attach_type = attachType };
        return Call(Abi.BPF_PROG_DETACH, &attributes, sizeof(bpf_attr_attach));
    }

    /// <summary>The numbers of the programs that are attached to this very group, in the order in which they run.</summary>
    internal static nint TryQuery(SafeHandle group, uint attachType, out uint[] programs)
    {
        using var held = group.Hold();
        uint* ids = stackalloc uint[MostPrograms];
        var attributes = new bpf_attr_query { target_fd = (uint)held.Number, attach_type = attachType, prog_ids = (ulong)ids, prog_cnt = MostPrograms };
        nint result = Call(Abi.BPF_PROG_QUERY, &attributes, sizeof(bpf_attr_query));
        programs = Syscall.IsError(result) ? [] : new ReadOnlySpan<uint>(ids, (int)attributes.prog_cnt).ToArray();
        return result;
    }

    /// <summary>A descriptor of a loaded program; ENOENT where it is gone.</summary>
    internal static nint TryOpen(uint program)
    {
        var attributes = new bpf_attr_id { prog_id = program };
        return Call(Abi.BPF_PROG_GET_FD_BY_ID, &attributes, sizeof(bpf_attr_id));
    }

    /// <summary>The name that a program was loaded under.</summary>
    internal static nint TryName(SafeHandle program, out string name)
    {
        using var held = program.Hold();
        bpf_prog_info info = default;
        var attributes = new bpf_attr_info { bpf_fd = (uint)held.Number, info_len = (uint)sizeof(bpf_prog_info), info = (ulong)(&info) };
        nint result = Call(Abi.BPF_OBJ_GET_INFO_BY_FD, &attributes, sizeof(bpf_attr_info));
        name = Syscall.IsError(result) ? "" : Marshal.PtrToStringUTF8((nint)info.name)!;
        return result;
    }

    private static nint Call(int command, void* attributes, int size) => Syscall.InvokeRetrying(SystemCall.bpf, command, (nint)attributes, size);
}
