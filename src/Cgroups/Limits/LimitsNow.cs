namespace Isolation.Cgroups;

/// <summary>What is in force, where the translation of other limits depends on it; null for what is not known, or need not be.</summary>
/// <param name="MemoryAndSwap">In bytes; v1 alone, which limits both together.</param>
/// <param name="CpuPeriod">In microseconds.</param>
internal readonly record struct LimitsNow(long? MemoryAndSwap = null, long? CpuPeriod = null);
