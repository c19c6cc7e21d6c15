using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Isolation.Linux;

namespace Isolation;

/// <summary>Profiles of Docker's (profiles/seccomp of moby) and of the OCI runtime specification (config-linux.md, "Seccomp").</summary>
internal static class SeccompProfileReader
{
    private const string Arm64Name = "arm64", X64Name = "amd64";
    private const Capability Unknown = (Capability)63;

    private static readonly Dictionary<string, SeccompArchitecture> Architectures = new(StringComparer.Ordinal)
    {
        ["SCMP_ARCH_X86_64"] = SeccompArchitecture.X64, ["SCMP_ARCH_X86"] = SeccompArchitecture.X86, ["SCMP_ARCH_X32"] = SeccompArchitecture.X32, ["SCMP_ARCH_AARCH64"] = SeccompArchitecture.Arm64,
    };

    /// <param name="utf8">The profile.</param>
    /// <param name="kernel">For rules that are for some kernels.</param>
    /// <param name="isArm64">For rules that are for some machines; else it is x86-64.</param>
    /// <exception cref="FormatException">It is none.</exception>
    internal static SeccompPolicy Read(ReadOnlySpan<byte> utf8, Version kernel, bool isArm64)
    {
        try
        {
            Utf8JsonReader reader = new(utf8, new() { CommentHandling = JsonCommentHandling.Skip });
            using JsonDocument document = JsonDocument.ParseValue(ref reader);
            JsonElement root = document.RootElement;
            SeccompAction otherwise = ActionOf(Text(root, "defaultAction") ?? throw new FormatException("'defaultAction' is missing."), Number(root, "defaultErrnoRet"));
            List<SeccompRule> rules = [];
            foreach (JsonElement entry in List(root, "syscalls"))
                if (Applies(entry, kernel, isArm64) && Rule(entry) is { } rule) rules.Add(rule);
            return new()
            {
                DefaultAction = otherwise,
                Rules = [.. rules.Where(rule => rule.Conditions.IsEmpty), .. rules.Where(rule => !rule.Conditions.IsEmpty)],
                Architectures = ArchitecturesOf(root, isArm64),
            };
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or OverflowException)
        {
            throw new FormatException($"This is no seccomp profile: {exception.Message}", exception);
        }
    }

    internal static string NameOf(SeccompArchitecture architecture) => Architectures.First(pair => pair.Value == architecture).Key;

    private static ImmutableArray<SeccompArchitecture> ArchitecturesOf(JsonElement root, bool isArm64)
    {
        IEnumerable<string> names = List(root, "architectures").Select(name => name.GetString()!);
        foreach (JsonElement map in List(root, "archMap"))
        {
            if (Text(map, "architecture") != (isArm64 ? "SCMP_ARCH_AARCH64" : "SCMP_ARCH_X86_64")) continue;
            names = names.Append(Text(map, "architecture")!).Concat(List(map, "subArchitectures").Select(name => name.GetString()!));
        }

        return [.. names.Where(Architectures.ContainsKey).Select(name => Architectures[name]).Distinct()];
    }

    private static bool Applies(JsonElement entry, Version kernel, bool isArm64)
    {
        string machine = isArm64 ? Arm64Name : X64Name;
        if (entry.TryGetProperty("includes", out JsonElement includes) && includes.ValueKind == JsonValueKind.Object)
        {
            string[] machines = [.. List(includes, "arches").Select(name => name.GetString()!)];
            if (machines.Length > 0 && !machines.Contains(machine)) return false;
            if (Text(includes, "minKernel") is { } least && Version.TryParse(least, out Version? version) && kernel < version) return false;
        }

        return !(entry.TryGetProperty("excludes", out JsonElement excludes) && excludes.ValueKind == JsonValueKind.Object && List(excludes, "arches").Any(name => name.GetString() == machine));
    }

    private static SeccompRule? Rule(JsonElement entry)
    {
        string[] names = [.. List(entry, "names").Select(name => name.GetString()!), .. Text(entry, "name") is { } single ? [single] : Array.Empty<string>()];
        string[] known = [.. names.Where(SystemCallTable.IsKnown)];
        SeccompAction action = ActionOf(Text(entry, "action") ?? throw new FormatException($"The rule of '{names.FirstOrDefault()}' has no action."), Number(entry, "errnoRet"));
        SeccompCondition[] conditions = [.. List(entry, "args").Select(Condition)];
        return known.Length == 0 ? null : new(([.. known]), action)
        {
            Conditions = [.. conditions],
            WithCapabilities = entry.TryGetProperty("includes", out JsonElement includes) ? CapabilitiesOf(includes) : [],
            WithoutCapabilities = entry.TryGetProperty("excludes", out JsonElement excludes) ? CapabilitiesOf(excludes) : [],
        };
    }

    private static SeccompCondition Condition(JsonElement argument)
    {
        int index = argument.GetProperty("index").GetInt32();
        if (index is < 0 or > 5) throw new FormatException($"There is no argument {index}.");
        ulong value = argument.TryGetProperty("value", out JsonElement first) ? first.GetUInt64() : 0, second = argument.TryGetProperty("valueTwo", out JsonElement two) ? two.GetUInt64() : 0;
        string comparison = Text(argument, "op") ?? throw new FormatException("A condition has no 'op'.");
        return comparison switch
        {
            "SCMP_CMP_NE" => new(index, SeccompComparison.NotEqual, value),
            "SCMP_CMP_LT" => new(index, SeccompComparison.Less, value),
            "SCMP_CMP_LE" => new(index, SeccompComparison.LessOrEqual, value),
            "SCMP_CMP_EQ" => new(index, SeccompComparison.Equal, value),
            "SCMP_CMP_GE" => new(index, SeccompComparison.GreaterOrEqual, value),
            "SCMP_CMP_GT" => new(index, SeccompComparison.Greater, value),
            "SCMP_CMP_MASKED_EQ" => SeccompCondition.Masked(index, value, second & value), // libseccomp masks both
            _ => throw new FormatException($"'{comparison}' is no comparison."),
        };
    }

    private static SeccompAction ActionOf(string name, long? data) => name switch
    {
        "SCMP_ACT_KILL" or "SCMP_ACT_KILL_THREAD" => SeccompAction.KillThread,
        "SCMP_ACT_KILL_PROCESS" => SeccompAction.KillProcess,
        "SCMP_ACT_TRAP" => SeccompAction.Trap,
        "SCMP_ACT_ERRNO" => data is null or (>= 0 and <= 4095) ? SeccompAction.Fail((Errno)(data ?? (long)Errno.EPERM)) : throw new FormatException($"{data} is no errno."),
        "SCMP_ACT_TRACE" => SeccompAction.Trace(checked((ushort)(data ?? (long)Errno.EPERM))),
        "SCMP_ACT_ALLOW" => SeccompAction.Allow,
        "SCMP_ACT_LOG" => SeccompAction.Log,
        "SCMP_ACT_NOTIFY" => SeccompAction.Notify,
        _ => throw new FormatException($"'{name}' is no action."),
    };

    /// <summary>One that this library does not know has only who has all.</summary>
    private static ImmutableArray<Capability> CapabilitiesOf(JsonElement scope) => scope.ValueKind != JsonValueKind.Object ? []
        : [.. List(scope, "caps").Select(name => name.GetString()!).Select(name => Enum.TryParse(name.StartsWith("CAP_", StringComparison.Ordinal) ? name[4..].Replace("_", "", StringComparison.Ordinal) : name, ignoreCase: true, out Capability capability) ? capability : Unknown)];

    private static JsonElement.ArrayEnumerator List(JsonElement element, string name) =>
        element.TryGetProperty(name, out JsonElement list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : default;

    private static string? Text(JsonElement element, string name) => element.TryGetProperty(name, out JsonElement text) && text.ValueKind == JsonValueKind.String ? text.GetString() : null;

    private static long? Number(JsonElement element, string name) => element.TryGetProperty(name, out JsonElement number) && number.ValueKind == JsonValueKind.Number ? number.GetInt64() : null;
}
