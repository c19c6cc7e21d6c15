namespace Isolation;

/// <summary>What of other processes a private <c>/proc</c> shows (proc(5), <c>hidepid</c>). Immutable.</summary>
public sealed record ProcOptions
{
    /// <summary>What a user sees of the processes of others.</summary>
    public HiddenProcesses Hidden { get; init; }

    /// <summary>Only the directories of processes are there, and nothing of the machine (<c>subset=pid</c>, Linux 5.8).</summary>
    public bool ProcessesOnly { get; init; }
}

/// <summary>What a user sees in <c>/proc</c> of the processes of others; the values are the kernel's.</summary>
public enum HiddenProcesses
{
    /// <summary>All that file modes allow.</summary>
    None = 0,

    /// <summary>That they are there, and nothing in their directories.</summary>
    Contents = 1,

    /// <summary>Nothing.</summary>
    Invisible = 2,

    /// <summary>Nothing of those that the user may not trace (Linux 5.8).</summary>
    NotTraceable = 4,
}
