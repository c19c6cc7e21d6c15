namespace Isolation.Linux;

/// <summary>Who resolves a path inside a root. Both give the same answers; tests force either.</summary>
internal enum PathResolver
{
    /// <summary>The kernel where it can, the walk otherwise.</summary>
    Automatic,

    /// <summary>The kernel, <c>openat2</c> with RESOLVE_IN_ROOT (Linux 5.6, unless a surrounding container's filter hides it).</summary>
    OpenAt2,

    /// <summary>This library, component by component.</summary>
    Walk,
}
