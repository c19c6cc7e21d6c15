using Isolation.Linux;

namespace Isolation.Images;

/// <summary>How a layer is written to disk.</summary>
internal sealed record UnpackOptions
{
    internal LayerBounds Bounds { get; init; } = LayerBounds.Default;

    /// <summary>Whether owners, devices and all attributes are set as the archive says, which takes root; else they are recorded (<see cref="FileOwnership"/>).</summary>
    internal bool Privileged { get; init; } = Syscall.Invoke(SystemCall.geteuid) == 0;

    /// <summary>Told of the bytes of the blob as they come.</summary>
    internal IProgress<long>? Progress { get; init; }
}
