namespace Isolation.Cgroups;

/// <summary>One write that sets a limit.</summary>
/// <param name="Controller">Whose file it is.</param>
/// <param name="File">In the group's directory.</param>
/// <param name="Value">All at once: the kernel takes one value a write(2).</param>
/// <param name="Purpose">In words, such as "limit memory to 64 MiB".</param>
internal sealed record LimitWrite(CgroupController Controller, string File, string Value, string Purpose)
{
    /// <summary>What to write to take it back: by default what the file said before; else what this makes of it.</summary>
    internal Func<string, string?>? Undo { get; init; }

    /// <summary>What the kernel has against a value that it took, of what the file says afterwards.</summary>
    internal Func<string, string?>? Check { get; init; }
}

/// <summary>What a version of control groups cannot express.</summary>
/// <param name="What">Our name of the limit.</param>
/// <param name="Why">Both sides: what was asked for, and what there is instead.</param>
internal sealed record LimitGap(string What, string Why);
