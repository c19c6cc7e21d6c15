using System.Text.RegularExpressions;

namespace Isolation;

/// <summary>Which kernel parameters are a container's own (sysctl(8), namespaces(7)); any other would change the host.</summary>
internal static partial class SysctlName
{
    private static readonly string[] OfIpc = ["kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced"];

    /// <summary>With dots between its parts, as sysctl(8) prints it.</summary>
    /// <exception cref="ArgumentException">It is no such name, or not a container's to set.</exception>
    internal static string Checked(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        string dotted = name.Contains('/') && !name.AsSpan(0, name.IndexOf('/')).Contains('.') ? string.Concat(name.Select(character => character switch { '.' => '/', '/' => '.', _ => character })) : name;
        if (!Name().IsMatch(dotted)) throw new ArgumentException($"'{name.Replace("\0", "\\0", StringComparison.Ordinal)}' is no name of a kernel parameter: parts of letters, digits, '_', '-' and ':', with dots between them.", nameof(name));
        if (dotted is "kernel.hostname" or "kernel.domainname") throw new ArgumentException($"'{dotted}' is set by WithHostName and WithDomainName.", nameof(name));
        if (KindOf(dotted) is null) throw new ArgumentException($"'{dotted}' is no parameter of a namespace: setting it would change the host. Those of a container are net.*, fs.mqueue.*, {string.Join(", ", OfIpc)}.", nameof(name));
        return dotted;
    }

    /// <summary>CVE-2022-0811: a value that ends a line smuggled further settings into a tool that reads lines.</summary>
    internal static string CheckedValue(string name, string value)
    {
        ArgumentException.ThrowIfNullOrEmpty(value);
        if (value.Any(character => char.IsControl(character) && character != '\t')) throw new ArgumentException($"The value of '{name}' holds a control character.", nameof(value));
        if (value.Length > 4000) throw new ArgumentException($"The value of '{name}' is {value.Length} characters long.", nameof(value));
        return value;
    }

    internal static NamespaceKind? KindOf(string name) =>
        name.StartsWith("net.", StringComparison.Ordinal) ? NamespaceKind.Network
        : name.StartsWith("fs.mqueue.", StringComparison.Ordinal) || OfIpc.Contains(name) ? NamespaceKind.Ipc
        : null;

    /// <summary>Below <c>/proc/sys</c>. A dot within a part (an interface's name) is written as a slash in the name.</summary>
    internal static string PathOf(string name) => string.Join('/', name.Split('.').Select(part => part.Replace('/', '.')));

    [GeneratedRegex(@"^[a-zA-Z0-9_:-]+(\.[a-zA-Z0-9_:-]+(/[a-zA-Z0-9_:-]+)*)+$")]
    private static partial Regex Name();
}
