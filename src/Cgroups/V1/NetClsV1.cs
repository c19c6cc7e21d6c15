namespace Isolation.Cgroups;

/// <summary>v1 <c>net_cls</c>: Documentation/admin-guide/cgroup-v1/net_cls.rst.</summary>
internal static class NetClsV1
{
    internal static void Translate(LimitPlan plan, ResourceLimits limits)
    {
        if (limits.NetClass is { } mark) plan.Write(CgroupController.NetClass, "net_cls.classid", LimitText.Of(mark), $"mark packets with 0x{mark:x8}");
    }
}
