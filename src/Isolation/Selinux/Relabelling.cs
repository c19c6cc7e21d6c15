using System.Text;
using Isolation.Launch;
using Isolation.Linux;

namespace Isolation;

/// <summary>Labels the files of binds, as the labels of a container ask for it.</summary>
internal static class Relabelling
{
    private static readonly byte[] Attribute = "security.selinux\0"u8.ToArray();

    // What a system without labels of its own is broken without, at the place itself.
    private static readonly string[] Refused = ["/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/media", "/mnt", "/opt", "/proc", "/root", "/run", "/sbin", "/srv", "/sys", "/tmp", "/usr", "/var"];

    /// <summary>What is wrong with asking for it; null where nothing is.</summary>
    internal static string? ProblemOf(BindMount bind) => bind.Options.Relabel != SelinuxRelabel.None && Refused.Contains(Path.TrimEndingDirectorySeparator(Path.GetFullPath(bind.Source)))
        ? $"'{bind.Source}' is the system's: relabelled for containers, the rest of the system could not use it. Bind a directory below it." : null;

    internal static bool IsNeeded(PlanInputs inputs) => inputs.Labels?.Mounts is not null && inputs.Spec.Mounts.Any(mount => mount is BindMount { Options.Relabel: not SelinuxRelabel.None });

    /// <exception cref="LinuxException">A file cannot be labelled.</exception>
    internal static void Run(PlanInputs inputs, CancellationToken cancellationToken)
    {
        foreach (BindMount bind in inputs.Spec.Mounts.OfType<BindMount>())
        {
            if (bind.Options.Relabel == SelinuxRelabel.None) continue;
            byte[] label = Encoding.ASCII.GetBytes((bind.Options.Relabel == SelinuxRelabel.Shared ? inputs.Labels!.Shared : inputs.Labels!.Mounts) + "\0");
            Label(bind.SourceFor(inputs.Directory), bind.Options.NoSymbolicLinks, label, cancellationToken);
        }
    }

    private static void Label(string path, bool withoutLinks, byte[] label, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(path))
        {
            using FileDescriptor parent = Open(Path.GetDirectoryName(path)!, withoutLinks);
            Check(FileEntries.SetAttribute(parent, FileName.Of(Path.GetFileName(path)), Attribute, label), path);
            return;
        }

        using FileDescriptor source = Open(path, withoutLinks);
        Check(FileEntries.SetAttribute(source, ".\0"u8, Attribute, label), path);
        using DirectoryWalk walk = new(OwnFileCalls.Instance, source);
        while (walk.Next(enter: true))
        {
            cancellationToken.ThrowIfCancellationRequested();
            nint result = FileEntries.SetAttribute(walk.Directory, walk.Name, Attribute, label);
            if (!Syscall.Is(result, Errno.ENOENT)) Check(result, $"{path}/{walk.Path}");
        }
    }

    private static FileDescriptor Open(string path, bool withoutLinks) =>
        withoutLinks ? OpenAt2Resolver.OpenWithoutLinks(path, Abi.O_PATH) : FileDescriptor.Open(path, Abi.O_PATH | TargetAbi.Current.O_DIRECTORY);

    // A file system without labels has its mount's, and nothing is to be done.
    private static void Check(nint result, string path)
    {
        if (!Syscall.Is(result, Errno.EOPNOTSUPP)) Syscall.Check(result, "setxattr", $"\"{path}\", security.selinux");
    }
}
