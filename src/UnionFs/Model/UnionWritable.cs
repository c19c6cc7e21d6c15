using Isolation.Linux;

namespace Isolation.UnionFs;

/// <summary>Where a driver keeps what is written.</summary>
/// <param name="Content">The directory that holds it.</param>
/// <param name="Form">How it says what is gone.</param>
/// <param name="IsWhole">Whether it holds the whole tree, as a copy does, and not the changes alone.</param>
/// <param name="CopiedAt">When a whole tree was complete: what changed last before is as it was copied. Nobody can set that time (ctime).</param>
internal sealed record UnionWritable(FileDescriptor Content, WhiteoutForm Form, bool IsWhole, (long Seconds, uint Nanoseconds) CopiedAt = default) : IDisposable
{
    /// <summary>What an owner and a group of it are in the branches below, where these are seen through an identity map; as they are where it is null.</summary>
    internal (Func<uint, uint> User, Func<uint, uint> Group)? Owners { get; set; }

    internal bool IsUntouched(FileStatus status) => status.Changed.CompareTo(CopiedAt) < 0;

    public void Dispose() => Content.Dispose();
}
