namespace Isolation;

/// <summary>What a container sees as <c>/</c>.</summary>
internal abstract record RootFilesystem
{
    /// <summary>The size of the private writable layer in bytes, where there is one.</summary>
    internal long LayerSize { get; init; } = 1L << 30;
}

/// <summary>The host's own files under a private writable layer.</summary>
internal sealed record HostRoot : RootFilesystem;

/// <summary>A directory of the host.</summary>
internal sealed record DirectoryRoot(string Path, RootAccess Access) : RootFilesystem;
