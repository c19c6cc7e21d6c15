namespace Isolation.Cgroups;

/// <summary>A line of <c>misc.max</c>, which v1 and v2 have alike.</summary>
internal static class MiscLine
{
    internal static LimitWrite Write(MiscLimit limit) =>
        new(CgroupController.Misc, "misc.max", $"{limit.Resource} {LimitText.OrMax(limit.Value)}", $"limit {limit.Resource} to {LimitText.OrMax(limit.Value)}")
        {
            Undo = before => KeyedLine.Find(before, limit.Resource) ?? $"{limit.Resource} max",
        };
}
