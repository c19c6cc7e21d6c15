namespace Isolation.Cgroups;

/// <summary>How much memory in huge pages of one size.</summary>
/// <param name="PageSize">Of a page, in bytes: 2 MiB or 1 GiB on x86-64.</param>
/// <param name="Bytes">Of all pages together; a multiple of the page size, or <see cref="ResourceLimits.Unlimited"/>.</param>
public sealed record HugetlbLimit(long PageSize, long Bytes);

/// <summary>How much of one RDMA device. Null leaves a limit as it is; <see cref="ResourceLimits.Unlimited"/> takes it away.</summary>
/// <param name="Device">Its name, such as <c>mlx5_0</c>.</param>
/// <param name="Handles">Contexts (hca_handle).</param>
/// <param name="Objects">Everything else that is allocated there (hca_object).</param>
public sealed record RdmaLimit(string Device, long? Handles, long? Objects);

/// <summary>How much of one scalar resource of the machine.</summary>
/// <param name="Resource">Its name in <c>misc.capacity</c>, such as <c>sev</c>.</param>
/// <param name="Value">How many, or <see cref="ResourceLimits.Unlimited"/>.</param>
public sealed record MiscLimit(string Resource, long Value);

/// <summary>The priority of what is sent over one network interface.</summary>
/// <param name="Interface">Its name.</param>
/// <param name="Priority">SO_PRIORITY of the packets (socket(7)).</param>
public sealed record NetPriorityLimit(string Interface, uint Priority);
