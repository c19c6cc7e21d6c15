using System.Collections.Immutable;

namespace Isolation;

/// <summary>A program with the command line of an OCI runtime, that runs containers in place of this library (<see cref="ContainerBuilder.WithRuntime"/>). Immutable.</summary>
/// <param name="Path">Of the program; looked for in <c>PATH</c> where it has no slash.</param>
public sealed record OciRuntime(string Path)
{
    /// <summary>gVisor's <c>runsc</c>: a kernel in user space between the program and the host's. Its own network stack, or none; no cgroups of its own.</summary>
    public static OciRuntime Gvisor { get; } = new("runsc") { Kind = RuntimeKind.Gvisor };

    /// <summary><c>runc</c>, the reference implementation.</summary>
    public static OciRuntime Runc { get; } = new("runc") { Kind = RuntimeKind.Runc };

    /// <summary><c>crun</c>.</summary>
    public static OciRuntime Crun { get; } = new("crun") { Kind = RuntimeKind.Crun };

    /// <summary>Options before the command, besides those that are given in any case (<c>--root</c>, <c>--log</c>).</summary>
    public ImmutableArray<string> Arguments { get; init; } = [];

    internal RuntimeKind Kind { get; private init; } = RuntimeKind.Other;

    /// <summary>One with runc's command line, at a path.</summary>
    public static OciRuntime At(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new(path);
    }

    /// <inheritdoc/>
    public override string ToString() => Path;

    /// <summary>Where it is.</summary>
    /// <exception cref="ContainerException">It is not there.</exception>
    internal string Find()
    {
        IEnumerable<string> candidates = Path.Contains('/') ? [System.IO.Path.GetFullPath(Path)] : $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/usr/bin:/usr/local/bin".Split(':', StringSplitOptions.RemoveEmptyEntries).Select(directory => System.IO.Path.Join(directory, Path));
        return candidates.FirstOrDefault(File.Exists) ?? throw new ContainerException(ContainerErrorReason.ProgramNotFound, $"There is no OCI runtime '{Path}'", null, "install it (Debian: runsc, runc, crun), or name its path with OciRuntime.At");
    }

    /// <summary>What it leaves out of a configuration without an error, as its documentation says.</summary>
    internal IEnumerable<(string Feature, string Why)> Ignored(ContainerSpec spec)
    {
        if (Kind != RuntimeKind.Gvisor) yield break;
        if (!spec.Unfiltered) yield return ("seccomp", "the program's system calls are gVisor's to answer, and its own filter is around gVisor");
        if (spec.AppArmor is not null) yield return ("apparmor", "gVisor applies no profile");
        if (spec.Selinux is not null) yield return ("selinux", "gVisor sets no label");
        if (!spec.Sysctls.IsEmpty) yield return ("sysctl", "gVisor's kernel has parameters of its own");
        if (spec.Scheduling is not null || spec.IoPriority is not null) yield return ("priorities", "gVisor schedules by itself");
        if (spec.Namespaces.IsNew(NamespaceKind.Time)) yield return ("time namespace", "gVisor has none");
        if (spec.Namespaces.IsHost(NamespaceKind.Network)) yield return ("the host's network", "gVisor is given none: say --network=host with OciRuntime.Arguments");
    }
}

internal enum RuntimeKind
{
    Other,
    Runc,
    Crun,
    Gvisor,
}
