using System.Text.Json.Nodes;
using Isolation.Linux;

namespace Isolation;

/// <summary>A policy as <c>linux.seccomp</c> (config-linux.md, "Seccomp"): what depends on capabilities is decided, and what an earlier rule decides is not said again.</summary>
internal static class SeccompExport
{
    internal static JsonObject Write(SeccompPolicy policy, CapabilitySet capabilities)
    {
        HashSet<string> decided = [];
        JsonArray calls = [];
        foreach (SeccompRule rule in policy.Rules.Where(rule => SeccompPolicy.Applies(rule, capabilities)))
        {
            string[] names = [.. rule.SystemCalls.Where(name => !decided.Contains(name))];
            bool always = rule.Conditions.IsEmpty;
            if (always) decided.UnionWith(names);
            if (names.Length == 0 || (always && rule.Action == policy.DefaultAction)) continue; // libseccomp takes no rule that says what is so anyway
            JsonObject one = Action("action", rule.Action);
            one["names"] = new JsonArray([.. names.Select(name => JsonValue.Create(name))]);
            if (!always) one["args"] = new JsonArray([.. rule.Conditions.Select(Condition)]);
            calls.Add((JsonNode)one);
        }

        JsonObject seccomp = Action("defaultAction", policy.DefaultAction, "defaultErrnoRet");
        if (!policy.Architectures.IsEmpty) seccomp["architectures"] = new JsonArray([.. policy.Architectures.Select(architecture => JsonValue.Create(SeccompProfileReader.NameOf(architecture)))]);
        if (calls.Count > 0) seccomp["syscalls"] = calls;
        return seccomp;
    }

    private static JsonObject Action(string name, SeccompAction action, string errno = "errnoRet")
    {
        uint data = action.Value & 0xffff;
        (string text, bool hasData) = (action.Value & 0xffff0000) switch
        {
            0x7fff0000 => ("SCMP_ACT_ALLOW", false),
            0x7ffc0000 => ("SCMP_ACT_LOG", false),
            0x7ff00000 => ("SCMP_ACT_TRACE", true),
            0x7fc00000 => ("SCMP_ACT_NOTIFY", false),
            0x00050000 => ("SCMP_ACT_ERRNO", true),
            0x00030000 => ("SCMP_ACT_TRAP", false),
            0x80000000 => ("SCMP_ACT_KILL_PROCESS", false),
            _ => ("SCMP_ACT_KILL_THREAD", false),
        };
        JsonObject value = new() { [name] = text };
        if (hasData) value[errno] = data;
        return value;
    }

    private static JsonObject Condition(SeccompCondition condition)
    {
        bool masked = condition.Comparison == SeccompComparison.MaskedEqual;
        JsonObject value = new()
        {
            ["index"] = condition.Argument,
            ["value"] = masked ? condition.Mask : condition.Value,
            ["op"] = condition.Comparison switch
            {
                SeccompComparison.Equal => "SCMP_CMP_EQ",
                SeccompComparison.NotEqual => "SCMP_CMP_NE",
                SeccompComparison.Less => "SCMP_CMP_LT",
                SeccompComparison.LessOrEqual => "SCMP_CMP_LE",
                SeccompComparison.Greater => "SCMP_CMP_GT",
                SeccompComparison.GreaterOrEqual => "SCMP_CMP_GE",
                _ => "SCMP_CMP_MASKED_EQ",
            },
        };
        if (masked) value["valueTwo"] = condition.Value;
        return value;
    }
}
