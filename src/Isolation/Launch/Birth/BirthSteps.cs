using Isolation.Linux;
using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

/// <summary>
/// The first steps of a child, run by the same interpreter on a page of this process's memory, which the child shares
/// until it executes the image: descriptors are put in their places, capabilities are kept across the execution where
/// a user namespace is new, and the image is executed. Written anew for each launch, without managed allocation.
/// Belongs to one launcher thread.
/// </summary>
internal sealed unsafe class BirthSteps
{
    private const int Size = 32 << 10;
    private const int SlotStart = 12 << 10;
    private readonly byte* _memory;
    private int _steps;
    private int _slots;
    private int _never;

    internal BirthSteps()
    {
        _memory = (byte*)Syscall.Check(Syscall.Invoke(mmap, 0, Size, Abi.PROT_READ | Abi.PROT_WRITE,
            Abi.MAP_PRIVATE | Abi.MAP_ANONYMOUS, -1, 0), "mmap", "memory for the steps of a birth");
    }

    internal nint Base => (nint)_memory;

    internal nint First => Base + MachineCode.FirstStep;

    /// <summary>The result of the step that failed, or 0.</summary>
    internal nint Fault => ((nint*)_memory)[1];

    /// <summary>The call that failed.</summary>
    internal SystemCall FaultCall { get; private set; }

    /// <param name="sources">What becomes descriptor 0, 1, 2 and so on of the child; -1 for none.</param>
    /// <param name="image">The launch image.</param>
    /// <param name="lastCapability">Where the child enters a new user namespace, the highest capability; else -1.</param>
    internal void Write(ReadOnlySpan<int> sources, int image, int lastCapability)
    {
        (_steps, _slots) = (0, SlotStart);
        ((nint*)_memory)[0] = ((nint*)_memory)[1] = 0;
        _never = Slot(nint.MinValue);
        if (lastCapability >= 0) KeepCapabilities(lastCapability);

        // First all copies, above every place that will be taken; then each to its place. The copies close on exec.
        int above = sources.Length;
        Span<int> copies = stackalloc int[sources.Length];
        for (int i = 0; i < sources.Length; i++)
            if (sources[i] >= 0) CallInto(copies[i] = Slot(0), fcntl, sources[i], Abi.F_DUPFD_CLOEXEC, above);

        int imageCopy = Slot(0);
        CallInto(imageCopy, fcntl, image, Abi.F_DUPFD_CLOEXEC, above);
        for (int i = 0; i < sources.Length; i++)
            if (sources[i] >= 0) Step(dup3, _never + 8, [copies[i], Slot(i), Slot(0)]);

        int empty = Slot(0);
        int arguments = Slot(0);
        Slot(0);
        int name = Slot(0);
        Slot(0);
        "isolation"u8.CopyTo(new Span<byte>(_memory + name, 16));
        *(nint*)(_memory + arguments) = Base + name;
        Step(execveat, _never + 8, [imageCopy, Slot(Base + empty), Slot(Base + arguments), Slot(Base + arguments + 8), Slot(Abi.AT_EMPTY_PATH)]);
        int exit = _steps;
        Call(exit_group, 127);

        // Every error goes to the end.
        for (int i = 0; i < _steps; i++) Row(i)[10] = (uint)StepOffset(exit);
    }

    /// <summary>After a clone that succeeded: whether the child got as far as the image.</summary>
    internal bool Failed()
    {
        if (Fault == 0) return false;
        int index = (int)(((nint*)_memory)[0] - MachineCode.FirstStep) / MachineCode.StepSize;
        uint number = Row(index)[0];
        foreach (SystemCall call in (ReadOnlySpan<SystemCall>)[capset, prctl, fcntl, dup3, execveat])
            if (TargetAbi.Current.Number(call) == number) FaultCall = call;
        return true;
    }

    // A process whose id is mapped to nobody loses its capabilities when it executes (capabilities(7)); those that are
    // inheritable and ambient it keeps. The plan clears both sets before the program starts.
    private void KeepCapabilities(int last)
    {
        ulong all = last >= 63 ? ulong.MaxValue : (1UL << (last + 1)) - 1;
        uint low = (uint)all, high = (uint)(all >> 32);
        int header = Slot(unchecked((nint)Abi._LINUX_CAPABILITY_VERSION_3));
        int data = Slot((nint)(low | (ulong)low << 32));
        Slot((nint)(low | (ulong)high << 32));
        Slot((nint)(high | (ulong)high << 32));
        Call(capset, Base + header, Base + data);
        for (int capability = 0; capability <= last; capability++)
            Call(prctl, Abi.PR_CAP_AMBIENT, Abi.PR_CAP_AMBIENT_RAISE, capability, 0, 0);
    }

    // The slot after "never" takes results that nobody needs; it is made by the first call below.
    private void Call(SystemCall call, params ReadOnlySpan<nint> operands) => CallInto(_never + 8, call, operands);

    private void CallInto(int result, SystemCall call, params ReadOnlySpan<nint> operands)
    {
        Span<int> slots = stackalloc int[operands.Length];
        for (int i = 0; i < operands.Length; i++) slots[i] = Slot(operands[i]);
        Step(call, result, slots);
    }

    private void Step(SystemCall call, int result, ReadOnlySpan<int> slots)
    {
        if (StepOffset(_steps + 1) > SlotStart) throw new InvalidOperationException("The steps of a birth do not fit their memory.");
        uint* row = Row(_steps);
        row[0] = (uint)TargetAbi.Current.Number(call);
        for (int i = 0; i < 6; i++) row[1 + i] = (uint)(i < slots.Length ? slots[i] : _never);
        row[7] = (uint)result;
        row[8] = (uint)_never;
        row[9] = (uint)StepOffset(_steps + 1);
        _steps++;
    }

    private int Slot(nint value)
    {
        if (_slots == SlotStart + 8) _slots += 8; // the slot after "never" is for results that nobody needs
        if (_slots + 8 > Size) throw new InvalidOperationException("The operands of a birth do not fit their memory.");
        int offset = _slots;
        *(nint*)(_memory + offset) = value;
        _slots += 8;
        return offset;
    }

    private uint* Row(int index) => (uint*)(_memory + StepOffset(index));

    private static int StepOffset(int index) => MachineCode.FirstStep + index * MachineCode.StepSize;
}
