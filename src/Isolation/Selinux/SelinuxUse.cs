namespace Isolation;

/// <summary>How a container is labelled.</summary>
/// <param name="Process">The program's label, whole; null for one of the container's own, with a pair of categories that no other has.</param>
/// <param name="Mounts">That of the file systems made for it; likewise where the process's is null, and none where only this one is.</param>
/// <param name="Preferred">Where the kernel has no SELinux the program runs without, and the report says so.</param>
internal sealed record SelinuxUse(string? Process, string? Mounts, bool Preferred);
