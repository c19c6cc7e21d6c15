using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Isolation.Linux;

namespace Isolation;

/// <summary>What <see cref="SeccompRecorder"/> has seen. Immutable.</summary>
public sealed class SeccompRecording
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };
    private readonly ImmutableArray<string> _allowed;

    internal SeccompRecording(ImmutableSortedDictionary<string, long> systemCalls, ImmutableArray<string> allowed, ContainerResult result)
    {
        (SystemCalls, _allowed, Result) = (systemCalls, allowed, result);
        Policy = new() { DefaultAction = SeccompAction.Fail(Errno.EPERM), Rules = [new(allowed, SeccompAction.Allow)] };
    }

    /// <summary>Which calls were made, and how often.</summary>
    public ImmutableSortedDictionary<string, long> SystemCalls { get; }

    /// <summary>How the workload has ended.</summary>
    public ContainerResult Result { get; }

    /// <summary>Allows what was seen, and what starting a program takes; all else fails with EPERM.</summary>
    public SeccompPolicy Policy { get; }

    /// <summary>The policy as <c>linux.seccomp</c> of an OCI <c>config.json</c>, and as a profile for Docker.</summary>
    public string ToJson()
    {
        JsonArray names = [.. _allowed.Select(name => (JsonNode)JsonValue.Create(name))];
        JsonObject root = new()
        {
            ["defaultAction"] = "SCMP_ACT_ERRNO", ["defaultErrnoRet"] = (int)Errno.EPERM,
            ["syscalls"] = new JsonArray(new JsonObject { ["names"] = names, ["action"] = "SCMP_ACT_ALLOW" }),
        };
        return root.ToJsonString(Indented);
    }

    /// <summary>The policy as an expression of C#.</summary>
    public string ToCSharp()
    {
        StringBuilder text = new("""
            new SeccompPolicy
            {
                DefaultAction = SeccompAction.Fail(Errno.EPERM),
                Rules =
                [
                    SeccompRule.Allow(
            """);
        int column = int.MaxValue;
        foreach (string name in _allowed)
        {
            if (name != _allowed[0]) text.Append(',');
            if (column + name.Length > 140)
            {
                text.Append("\n            ");
                column = 12;
            }
            else text.Append(' ');
            text.Append('"').Append(name).Append('"');
            column += name.Length + 4;
        }

        return text.Append("),\n    ],\n}").ToString();
    }
}
