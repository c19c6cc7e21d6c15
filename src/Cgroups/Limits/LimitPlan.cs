namespace Isolation.Cgroups;

/// <summary>Limits as writes, in their order, and what cannot be said.</summary>
internal sealed class LimitPlan
{
    internal List<LimitWrite> Writes { get; } = [];

    internal List<LimitGap> Gaps { get; } = [];

    internal LimitWrite Write(CgroupController controller, string file, string value, string purpose)
    {
        LimitWrite write = new(controller, file, value, purpose);
        Writes.Add(write);
        return write;
    }

    internal void Lacks(bool asked, string what, string why)
    {
        if (asked) Gaps.Add(new(what, why));
    }
}
