using Isolation.Linux;

namespace Isolation;

/// <summary>
/// Who writes much has more to say, and gets a pipe in which it need not wait for the reader all the time. Not from the
/// start: the pages of all pipes of a user are counted (pipe(7), pipe-user-pages-soft).
/// </summary>
internal struct PipeGrowth
{
    private const int Much = 256 << 10, LargePipe = 1 << 20;

    private long _passed;
    private bool _isDone;

    /// <summary>So much more was read. An error is no matter: the pipe stays as it is.</summary>
    internal void Passed(FileDescriptor pipe, nint count)
    {
        _passed += count;
        if (_isDone || _passed < Much) return;
        _isDone = true;
        using HeldHandle held = pipe.Hold();
        Syscall.fcntl(held.Number, Abi.F_SETPIPE_SZ, LargePipe);
    }
}
