using System.Collections.Immutable;
using System.Globalization;
using Isolation.Linux;
using Isolation.Networking;

namespace Isolation;

/// <summary>Interfaces of the host that a container gets (config-linux.md, "Network Devices"): moved once its network namespace is there, before the first hook.</summary>
internal static class OciLinks
{
    /// <exception cref="FormatException">A name that no interface can have, or two of one name.</exception>
    internal static ImmutableArray<(string Name, string NewName)> Read(OciNode? linux)
    {
        if (linux.Find("netDevices") is not { } devices) return [];
        HashSet<string> names = new(StringComparer.Ordinal);
        List<(string, string)> links = [];
        foreach ((string name, OciNode device) in devices.Members())
        {
            string newName = device.Find("name").Text() is { Length: > 0 } given ? given : name;
            foreach (string one in (ReadOnlySpan<string>)[name, newName])
                if (!LinkMove.IsName(one)) throw device.Bad($"'{one}' is no name of an interface: 1 to 15 bytes, without '/', ':' and blanks");
            if (!names.Add(newName)) throw device.Bad($"two interfaces are to be '{newName}'");
            links.Add((name, newName));
        }

        return [.. links];
    }

    /// <exception cref="OciRuntimeException">One cannot be moved: then all are where they were.</exception>
    internal static void Move(ImmutableArray<(string Name, string NewName)> links, int processId)
    {
        if (links.IsEmpty) return;
        try
        {
            using FileDescriptor target = FileDescriptor.Open(string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/ns/net"), Abi.O_RDONLY);
            LinkMove.Move(links, target);
        }
        catch (Exception exception) when (exception is LinuxException or InvalidDataException)
        {
            throw new OciRuntimeException($"$.linux.netDevices: {exception.Message}", exception);
        }
    }
}
