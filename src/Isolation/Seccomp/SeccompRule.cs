using System.Collections.Immutable;

namespace Isolation;

/// <summary>What becomes of some system calls. Immutable.</summary>
/// <param name="SystemCalls">Their names, as in <c>asm/unistd.h</c> without <c>__NR_</c>.</param>
/// <param name="Action">What becomes of them.</param>
public sealed record SeccompRule(ImmutableArray<string> SystemCalls, SeccompAction Action)
{
    /// <summary>What their arguments must be; all of it must hold, and nothing where there is none.</summary>
    public ImmutableArray<SeccompCondition> Conditions { get; init; } = [];

    /// <summary>The rule holds where the container has all of these; none by default.</summary>
    public ImmutableArray<Capability> WithCapabilities { get; init; } = [];

    /// <summary>The rule holds where the container has none of these; none by default.</summary>
    public ImmutableArray<Capability> WithoutCapabilities { get; init; } = [];

    /// <summary>The calls are made.</summary>
    public static SeccompRule Allow(params ReadOnlySpan<string> systemCalls) => new([.. systemCalls], SeccompAction.Allow);
}

/// <summary>What an argument of a system call must be. Numbers alone can be compared: a filter cannot follow pointers. Immutable.</summary>
/// <param name="Argument">Which, from 0 to 5.</param>
/// <param name="Comparison">How it is compared.</param>
/// <param name="Value">With what, in all its 64 bits. Where the kernel takes only 32, it still sees what the upper ones hold: mask them.</param>
public sealed record SeccompCondition(int Argument, SeccompComparison Comparison, ulong Value)
{
    /// <summary>Which bits of the argument are compared; all, but for <see cref="SeccompComparison.MaskedEqual"/>.</summary>
    public ulong Mask { get; init; } = ulong.MaxValue;

    /// <summary>An argument that is a value.</summary>
    public static SeccompCondition Equal(int argument, ulong value) => new(argument, SeccompComparison.Equal, value);

    /// <summary>An argument of which some bits are a value.</summary>
    public static SeccompCondition Masked(int argument, ulong mask, ulong value) => new(argument, SeccompComparison.MaskedEqual, value) { Mask = mask };

    /// <summary>Whether it holds.</summary>
    internal bool Holds(ReadOnlySpan<ulong> arguments) => Comparison switch
    {
        SeccompComparison.Equal => arguments[Argument] == Value,
        SeccompComparison.NotEqual => arguments[Argument] != Value,
        SeccompComparison.Less => arguments[Argument] < Value,
        SeccompComparison.LessOrEqual => arguments[Argument] <= Value,
        SeccompComparison.Greater => arguments[Argument] > Value,
        SeccompComparison.GreaterOrEqual => arguments[Argument] >= Value,
        _ => (arguments[Argument] & Mask) == Value,
    };
}

/// <summary>How an argument is compared; without sign.</summary>
public enum SeccompComparison
{
    /// <summary>It is the value.</summary>
    Equal,

    /// <summary>It is another.</summary>
    NotEqual,

    /// <summary>It is less.</summary>
    Less,

    /// <summary>It is not more.</summary>
    LessOrEqual,

    /// <summary>It is more.</summary>
    Greater,

    /// <summary>It is not less.</summary>
    GreaterOrEqual,

    /// <summary>Some of its bits are the value.</summary>
    MaskedEqual,
}

/// <summary>For whose programs a filter has rules.</summary>
public enum SeccompArchitecture
{
    /// <summary>x86-64.</summary>
    X64,

    /// <summary>i386 programs on x86-64.</summary>
    X86,

    /// <summary>Programs with 32-bit pointers on x86-64 (x32).</summary>
    X32,

    /// <summary>AArch64.</summary>
    Arm64,
}
