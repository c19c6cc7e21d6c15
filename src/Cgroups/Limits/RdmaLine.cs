namespace Isolation.Cgroups;

/// <summary>A line of <c>rdma.max</c>, which v1 and v2 have alike.</summary>
internal static class RdmaLine
{
    internal const string NoLimits = " hca_handle=max hca_object=max";

    internal static LimitWrite Write(RdmaLimit limit)
    {
        string handles = limit.Handles is { } h ? $" hca_handle={LimitText.OrMax(h)}" : "", objects = limit.Objects is { } o ? $" hca_object={LimitText.OrMax(o)}" : "";
        return new(CgroupController.Rdma, "rdma.max", limit.Device + handles + objects, $"limit RDMA device {limit.Device}")
        {
            Undo = before => KeyedLine.Find(before, limit.Device) ?? limit.Device + NoLimits,
        };
    }
}
