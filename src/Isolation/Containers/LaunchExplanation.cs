using System.Text;
using Isolation.Launch;

namespace Isolation;

/// <summary>A launch in words, from the clone to the program.</summary>
internal static class LaunchExplanation
{
    internal static string Of(PlanInputs inputs)
    {
        NamespaceSet namespaces = inputs.Spec.Namespaces;
        StringBuilder text = new();
        text.AppendLine("The host:");
        text.Append("  clone3({CLONE_VM|CLONE_VFORK|CLONE_PIDFD|CLONE_CLEAR_SIGHAND");
        ulong flags = NamespaceSteps.BirthFlags(namespaces);
        for (NamespaceKind kind = NamespaceKind.User; kind <= NamespaceKind.Time; kind++)
            if ((flags & NamespaceSteps.Flag(kind)) != 0) text.Append('|').Append(NamespaceSteps.FlagName(kind));
        text.AppendLine("}), and the child: execveat(memfd:isolation)");
        if (inputs.NewUser)
        {
            IdentityMaps maps = inputs.Maps;
            text.Append("  identity maps, ").Append(maps.NeedsMapTools ? "by newuidmap and newgidmap" : "written by the host")
                .Append(": users ").Append(Line(IdentityMaps.Text(maps.Users))).Append("; groups ").Append(Line(IdentityMaps.Text(maps.Groups)))
                .AppendLine(maps.AllowsSetGroups ? "" : "; setgroups denied");
        }

        List<JoinedNamespaces> joined = inputs.Passed.Joined;
        for (int i = 0; i < joined.Count; i++)
            text.AppendLine($"  descriptor {inputs.Passed.FirstNamespace + i}: the {string.Join(", ", joined[i].Kinds).ToLowerInvariant()} namespace of {joined[i].Source}");
        text.AppendLine("The child:");
        text.Append(LaunchPlanner.Plan(inputs));
        return text.ToString();
    }

    private static string Line(string map) => map.TrimEnd().Replace("\n", ", ", StringComparison.Ordinal);
}
