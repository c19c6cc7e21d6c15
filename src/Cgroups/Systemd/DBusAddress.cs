namespace Isolation.Cgroups;

/// <summary>Where a bus is: <c>unix:path=/run/dbus/system_bus_socket</c> (D-Bus specification, "Server Addresses").</summary>
internal static class DBusAddress
{
    private const string Unix = "unix:";

    /// <summary>Those of a list that can be reached: sockets by path, or of the abstract namespace. Others are passed over.</summary>
    internal static IReadOnlyList<string> PathsOf(string addresses)
    {
        List<string> paths = [];
        foreach (string address in addresses.Split(';', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!address.StartsWith(Unix, StringComparison.Ordinal)) continue;
            foreach (string pair in address[Unix.Length..].Split(','))
            {
                if (pair.Split('=', 2) is not [("path" or "abstract") and string key, string value]) continue;
                paths.Add((key == "abstract" ? "\0" : "") + Uri.UnescapeDataString(value));
            }
        }

        return paths;
    }
}
