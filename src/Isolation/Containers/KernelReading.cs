using System.Globalization;
using Isolation.Linux;

namespace Isolation;

/// <summary>What the kernel says of a process (proc_pid_status(5), namespaces(7)), beside what it says of this one.</summary>
internal sealed class KernelReading
{
    private readonly Dictionary<string, string> _status = [];
    private readonly Dictionary<NamespaceKind, (string Own, string Its)> _namespaces = [];

    private KernelReading()
    {
    }

    internal bool NoNewPrivileges => _status.GetValueOrDefault("NoNewPrivs") == "1";

    /// <summary>Whether system calls are filtered, by this process's own filters as well.</summary>
    internal bool IsFiltered => _status.GetValueOrDefault("Seccomp") == "2";

    internal CapabilitySet Bounding => Set("CapBnd");

    internal CapabilitySet Effective => Set("CapEff");

    internal CapabilitySet Ambient => Set("CapAmb");

    internal string UserMap { get; private init; } = "";

    /// <summary>The label of a security module; null where there is none.</summary>
    internal string? Label { get; private init; }

    /// <summary>What a namespace is called, and whether it is another than this process's; null where the kernel has none such.</summary>
    internal (string Name, bool IsOther)? Namespace(NamespaceKind kind) => _namespaces.TryGetValue(kind, out (string Own, string Its) names) ? (names.Its, names.Own != names.Its) : null;

    /// <summary>Null where the process has ended, or this one may not look at it.</summary>
    internal static KernelReading? Of(PidDescriptor process)
    {
        try
        {
            if (process.ReadProcessId() is not (> 0 and var id)) return null;
            string directory = string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/");
            KernelReading reading = new() { UserMap = File.ReadAllText(directory + "uid_map"), Label = ReadLabel(directory) };
            foreach (string line in File.ReadLines(directory + "status"))
                if (line.IndexOf(':') is > 0 and var colon) reading._status[line[..colon]] = line[(colon + 1)..].Trim();
            for (NamespaceKind kind = NamespaceKind.User; kind <= NamespaceKind.Time; kind++)
                if (NameOf("/proc/self/", kind) is { } own && NameOf(directory, kind) is { } its) reading._namespaces[kind] = (own, its);

            // Its number was its own to the end.
            return process.ReadProcessId() == id && !reading._status.GetValueOrDefault("State", "Z").StartsWith('Z') ? reading : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or LinuxException or ObjectDisposedException)
        {
            return null;
        }
    }

    private static string? NameOf(string process, NamespaceKind kind) => new FileInfo($"{process}ns/{NamespaceDescriptors.FileName(kind)}").LinkTarget;

    private static string? ReadLabel(string directory)
    {
        try
        {
            return File.ReadAllText(directory + "attr/current").TrimEnd('\0', '\n') is { Length: > 0 } label ? label : null;
        }
        catch (IOException)
        {
            return null; // EINVAL: no module has labels
        }
    }

    private CapabilitySet Set(string name) => new(ulong.TryParse(_status.GetValueOrDefault(name), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong bits) ? bits : 0);
}
