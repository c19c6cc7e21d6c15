using Isolation.Cgroups;
using Isolation.Linux;

namespace Isolation.Launch;

/// <summary>One child to be born.</summary>
internal sealed class LaunchRequest
{
    /// <summary>The number of the image's descriptor, which stays open until <see cref="OnBorn"/> is called.</summary>
    internal required int Image { get; init; }

    /// <summary>What becomes descriptor 0, 1, 2 and so on of the child; null for none.</summary>
    internal required FileDescriptor?[] Descriptors { get; init; }

    /// <summary>The namespaces that the clone makes.</summary>
    internal required ulong CloneFlags { get; init; }

    /// <summary>Where a user namespace is made, the highest capability of the kernel; else -1.</summary>
    internal required int LastCapability { get; init; }

    /// <summary>The control group of v2 that it is born in; null for none.</summary>
    internal GroupDirectory? Group { get; init; }

    /// <summary>Whether it is beneath a group of somebody else's, who may freeze it: then the child is put into it once it stands on its own.</summary>
    internal bool IsGroupForeign { get; init; }

    /// <summary>Called on the launcher thread as soon as the child exists, or cannot exist; must not block or throw.</summary>
    internal required Action<LaunchRequest> OnBorn { get; init; }

    /// <summary>When the launcher thread took it (<see cref="System.Diagnostics.Stopwatch.GetTimestamp"/>).</summary>
    internal long Taken { get; set; }

    /// <summary>The child; null if it could not be born.</summary>
    internal PidDescriptor? Process { get; set; }

    internal int ProcessId { get; set; }

    internal Exception? Error { get; set; }
}
