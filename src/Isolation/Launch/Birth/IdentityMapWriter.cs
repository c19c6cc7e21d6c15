using System.Diagnostics;
using System.Globalization;
using System.Text;
using Isolation.Linux;

namespace Isolation.Launch;

/// <summary>Writes the identity maps of a child that waits for them (user_namespaces(7)).</summary>
internal static class IdentityMapWriter
{
    /// <summary>Writes the maps itself, as the kernel lets this process.</summary>
    internal static void Write(int processId, IdentityMaps maps)
    {
        if (!maps.AllowsSetGroups) WriteFile(processId, "setgroups", "deny");
        WriteFile(processId, "gid_map", IdentityMaps.Text(maps.Groups));
        WriteFile(processId, "uid_map", IdentityMaps.Text(maps.Users));
    }

    /// <summary>
    /// Has newuidmap and newgidmap write them, which are set-user-ID and check the ranges of /etc/subuid and /etc/subgid.
    /// </summary>
    internal static async Task WriteWithToolsAsync(int processId, IdentityMaps maps, CancellationToken cancellationToken)
    {
        await RunAsync("newuidmap", processId, maps.Users, cancellationToken).ConfigureAwait(false);
        await RunAsync("newgidmap", processId, maps.Groups, cancellationToken).ConfigureAwait(false);
    }

    private static void WriteFile(int processId, string name, string text)
    {
        string path = string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/{name}");
        try
        {
            using FileDescriptor file = FileDescriptor.Open(path, Abi.O_WRONLY);
            // One write: the kernel takes a map whole or not at all.
            Descriptors.Write(file, Encoding.ASCII.GetBytes(text));
        }
        catch (LinuxException exception)
        {
            string? remedy = exception.Errno switch
            {
                Errno.EPERM => "the ids must be this user's own, or CAP_SETUID and CAP_SETGID are needed in this user namespace; see WithSubordinateIds",
                Errno.EINVAL => "the ranges must not overlap, and the host's ids must exist in this user namespace",
                _ => null,
            };
            throw new ContainerException(ContainerErrorReason.IdentityMapFailed, $"Cannot write the identity map '{text.TrimEnd().Replace('\n', ',')}'", exception, remedy);
        }
    }

    private static async Task RunAsync(string tool, int processId, System.Collections.Immutable.ImmutableArray<IdMapping> map, CancellationToken cancellationToken)
    {
        ProcessStartInfo start = new(tool) { RedirectStandardError = true, UseShellExecute = false };
        start.ArgumentList.Add(processId.ToString(CultureInfo.InvariantCulture));
        foreach (IdMapping range in map)
        {
            start.ArgumentList.Add(range.ContainerId.ToString(CultureInfo.InvariantCulture));
            start.ArgumentList.Add(range.HostId.ToString(CultureInfo.InvariantCulture));
            start.ArgumentList.Add(range.Count.ToString(CultureInfo.InvariantCulture));
        }

        Process? process;
        try
        {
            process = Process.Start(start);
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            throw new ContainerException(ContainerErrorReason.IdentityMapFailed, $"Cannot run {tool} to map subordinate ids", exception,
                "install it (Debian: uidmap; Fedora: shadow-utils), or map one id only");
        }

        using (process)
        {
            string errors = await process!.StandardError.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
            if (process.ExitCode != 0)
            {
                string file = tool == "newuidmap" ? "/etc/subuid" : "/etc/subgid";
                throw new ContainerException(ContainerErrorReason.IdentityMapFailed,
                    $"{tool} refused the map '{IdentityMaps.Text(map).TrimEnd().Replace('\n', ',')}': {errors.Trim()}", null,
                    $"the ranges must be this user's in {file} (usermod --add-subuids, --add-subgids)");
            }
        }
    }
}
