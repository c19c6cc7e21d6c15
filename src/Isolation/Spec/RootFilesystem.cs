using System.Collections.Immutable;

namespace Isolation;

/// <summary>What a container sees as <c>/</c>.</summary>
internal abstract record RootFilesystem
{
    /// <summary>The size of the private writable layer in bytes, where there is one.</summary>
    internal long LayerSize { get; init; } = 1L << 30;

    /// <summary>Whether nothing in it can be written, a private layer neither.</summary>
    internal virtual bool IsReadOnly => false;
}

/// <summary>The host's own files under a private writable layer.</summary>
internal sealed record HostRoot : RootFilesystem
{
    internal bool Sealed { get; init; }

    internal override bool IsReadOnly => Sealed;
}

/// <summary>A directory of the host.</summary>
internal sealed record DirectoryRoot(string Path, RootAccess Access) : RootFilesystem
{
    internal override bool IsReadOnly => Access == RootAccess.ReadOnly;
}

/// <summary>Directories of the host that many containers share, under a private layer.</summary>
/// <param name="Layers">Absolute paths, from the lowest to the topmost. They never change.</param>
/// <param name="Access">Read-only or layered.</param>
internal sealed record LayersRoot(ImmutableArray<string> Layers, RootAccess Access) : RootFilesystem
{
    internal override bool IsReadOnly => Access == RootAccess.ReadOnly;
}
