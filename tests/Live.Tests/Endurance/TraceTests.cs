using System.Globalization;
using System.Text.RegularExpressions;
using Isolation.Launch;
using Isolation.Nested;

namespace Isolation.Live.Tests;

/// <summary>What the kernel was really asked, call by call, is what the plan says.</summary>
public sealed partial class TraceTests
{
    [Fact]
    public async Task The_calls_of_a_launch_are_the_steps_of_its_plan()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/strace"), "strace is not installed");
        using TemporaryDirectory directory = new();
        (int code, _, string error) = await Sandbox.OnHostAsync("strace", "-ff", "-qq", "-s", "4096", "-o", directory["trace"], NestedProgram.Path, "run", "--", "true");
        Assert.True(code == 0, error);
        LaunchPlan plan = LaunchPlanner.Plan(LaunchInputs.Gather(Sandbox.Host("true").Build()));
        string[] calls = LaunchCalls(directory.Path);

        int index = 0, compared = 0;
        foreach (string line in calls)
        {
            LaunchStep step = plan.Steps[index];
            Match call = Call().Match(line);
            Assert.True(call.Success, line);
            Assert.True(call.Groups["name"].Value == step.Call.ToString(), $"step {index}: the plan says {step}, the kernel heard {line}");
            foreach (Operand operand in step.Operands.Where(operand => operand.Kind == OperandKind.Text))
                Assert.True(line.Contains($"\"{operand.Payload}\"", StringComparison.Ordinal), $"step {index}: the plan says {step}, the kernel heard {line}");
            compared++;
            long result = call.Groups["error"].Success
                ? -(long)Enum.Parse<Isolation.Linux.Errno>(call.Groups["error"].Value)
                : ParseNumber(call.Groups["result"].Value);
            if (call.Groups["name"].Value == "execve" && result == 0) break;
            index = Next(plan, index, result);
        }

        Assert.True(compared > 50, $"only {compared} calls were compared");
        Assert.Contains("execve(", calls[compared - 1], StringComparison.Ordinal);
    }

    /// <summary>The interpreter's way through the plan.</summary>
    private static int Next(LaunchPlan plan, int index, long result)
    {
        LaunchStep step = plan.Steps[index];
        if (step.Expected == result) return step.OnExpected?.Index ?? index + 1;
        if (result >= 0 || step.IgnoresErrors) return index + 1;
        return step.OnError?.Index ?? plan.FailureIndex;
    }

    /// <summary>The calls of the one process that executed the launch image, from there on.</summary>
    private static string[] LaunchCalls(string directory)
    {
        foreach (string file in Directory.GetFiles(directory))
        {
            string[] lines = File.ReadAllLines(file);
            int start = Array.FindIndex(lines, line => line.StartsWith("execveat(", StringComparison.Ordinal) && line.Contains("[\"isolation\"]", StringComparison.Ordinal));
            if (start >= 0) return [.. lines[(start + 1)..].Where(line => !line.StartsWith('+') && !line.StartsWith('-'))];
        }

        Assert.Fail("no process executed the launch image");
        return [];
    }

    private static long ParseNumber(string text) =>
        text.StartsWith("0x", StringComparison.Ordinal) ? long.Parse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture)
        : text == "?" ? 0 : long.Parse(text, CultureInfo.InvariantCulture);

    // "name(operands) = result", "= -1 ERRNO (words)", "= 0x12 (flags)"
    [GeneratedRegex(@"^(?<name>\w+)\(.*\)\s+= (?:-1 (?<error>E[A-Z0-9]+) |(?<result>\?|-?(?:0x)?[0-9a-f]+))")]
    private static partial Regex Call();
}
