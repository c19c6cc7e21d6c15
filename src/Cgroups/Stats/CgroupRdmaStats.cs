namespace Isolation.Cgroups;

/// <summary>
/// What a control group and those beneath it hold of one RDMA device. The files are the same on v1 and v2.
/// Kernel documents: admin-guide/cgroup-v1/rdma.rst, admin-guide/cgroup-v2.rst ("RDMA").
/// </summary>
public struct CgroupRdmaStats
{
    internal Figure HandlesFigure, ObjectsFigure;

    internal CgroupRdmaStats(string device) => Device = device;

    /// <summary>The kernel's name of the device, for example <c>mlx4_0</c>.</summary>
    public string Device { get; }

    /// <summary>How many handles. <c>rdma.current</c>, <c>hca_handle</c>.</summary>
    public readonly long? Handles => HandlesFigure.Value;

    /// <summary>How many objects. <c>rdma.current</c>, <c>hca_object</c>.</summary>
    public readonly long? Objects => ObjectsFigure.Value;
}
