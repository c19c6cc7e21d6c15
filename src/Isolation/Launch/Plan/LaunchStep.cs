using System.Text;
using Isolation.Linux;

namespace Isolation.Launch;

/// <summary>One system call of a plan: what, with which operands, why, and where it goes from there.</summary>
internal sealed class LaunchStep(SystemCall call, Operand[] operands, string purpose)
{
    internal SystemCall Call { get; } = call;

    internal IReadOnlyList<Operand> Operands { get; } = operands;

    /// <summary>In words, for the exception that names a failing step: "mount the private /proc".</summary>
    internal string Purpose { get; } = purpose;

    /// <summary>Where its result goes, if a later step needs it.</summary>
    internal Slot? Result { get; private set; }

    /// <summary>The one result that goes to <see cref="OnExpected"/>.</summary>
    internal long? Expected { get; private set; }

    /// <summary>Where an expected result goes; null with an expectation means the next step.</summary>
    internal Label? OnExpected { get; private set; }

    /// <summary>Where an error goes; null means the plan's report of failure.</summary>
    internal Label? OnError { get; private set; }

    /// <summary>Any error goes on with the next step.</summary>
    internal bool IgnoresErrors { get; private set; }

    /// <summary>Where in that slot.</summary>
    internal int ResultOffset { get; private set; }

    /// <summary>The slot whose content is the result that goes to <see cref="OnExpected"/>, instead of a number.</summary>
    internal Slot? ExpectedSlot { get; private set; }

    internal LaunchStep Into(Slot slot, int offset = 0)
    {
        (Result, ResultOffset) = (slot, offset);
        return this;
    }

    internal LaunchStep When(Slot result, Label target)
    {
        (ExpectedSlot, OnExpected) = (result, target);
        return this;
    }

    internal LaunchStep When(long result, Label target)
    {
        (Expected, OnExpected) = (result, target);
        return this;
    }

    /// <summary>This one error is as good as success.</summary>
    internal LaunchStep Tolerate(Errno errno)
    {
        (Expected, OnExpected) = (-(int)errno, null);
        return this;
    }

    internal LaunchStep OnErrorGo(Label target)
    {
        OnError = target;
        return this;
    }

    internal LaunchStep IgnoreErrors()
    {
        IgnoresErrors = true;
        return this;
    }

    /// <summary>For tests: another call in this one's place, which goes where this one goes.</summary>
    internal LaunchStep Instead(SystemCall other, params Operand[] otherOperands) => new(other, otherOperands, Purpose)
    {
        Result = Result, ResultOffset = ResultOffset, Expected = Expected, ExpectedSlot = ExpectedSlot,
        OnExpected = OnExpected, OnError = OnError, IgnoresErrors = IgnoresErrors,
    };

    /// <summary>The call as strace would write it.</summary>
    public override string ToString()
    {
        StringBuilder text = new();
        text.Append(Call).Append('(').AppendJoin(", ", Operands).Append(')');
        if (Result is not null) text.Append(" = ").Append(Result);
        return text.ToString();
    }

    /// <summary>Where it goes other than on, in words; empty for a step that only goes on or fails.</summary>
    internal string Branches()
    {
        List<string> branches = [];
        if (Expected is { } expected)
        {
            string what = expected is < 0 and >= -4095 ? ((Errno)(-expected)).ToString() : $"{expected}";
            branches.Add(OnExpected is null ? $"{what} is fine" : $"{what} goes to '{OnExpected}'");
        }

        if (ExpectedSlot is not null) branches.Add($"{ExpectedSlot} goes to '{OnExpected}'");
        if (OnError is not null) branches.Add($"an error goes to '{OnError}'");
        if (IgnoresErrors) branches.Add("errors are ignored");
        return string.Join("; ", branches);
    }
}
