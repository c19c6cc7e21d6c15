using System.Collections.Immutable;
using System.Globalization;
using Isolation.Linux;

namespace Isolation;

/// <summary>
/// Shares of caches and of the way to memory (config-linux.md, "IntelRdt"; Documentation/filesystems/resctrl.rst): a class of service is a directory of the file system resctrl,
/// shared by all containers that name it, or the container's own.
/// </summary>
/// <param name="Class">Null for one of its own, named as the container is.</param>
/// <param name="Schemata">Lines of the file <c>schemata</c>, in the order in which they are written.</param>
/// <param name="Monitors">Whether what the container uses is measured apart from its class.</param>
internal sealed record OciIntelRdt(string? Class, ImmutableArray<string> Schemata, bool Monitors)
{
    /// <returns>Null where nothing is asked.</returns>
    /// <exception cref="FormatException">A class that is no name, or a line that is none.</exception>
    internal static OciIntelRdt? Read(OciNode? linux)
    {
        if (linux.Find("intelRdt") is not { } rdt) return null;
        string? name = rdt.Find("closID").Text() is { Length: > 0 } given ? given : null;
        if (name is "." or ".." || (name != "/" && name?.Contains('/') == true)) throw rdt.Get("closID").Bad($"'{name}' is no name of a directory");
        if (rdt.Find("memBwSchema") is { } bandwidth && !bandwidth.Text().StartsWith("MB:", StringComparison.Ordinal)) throw bandwidth.Bad("it is to begin with 'MB:'");
        string?[] lines = [rdt.Find("l3CacheSchema").Text(), rdt.Find("memBwSchema").Text(), .. rdt.Find("schemata").Texts()];
        return new(name, [.. lines.SelectMany(line => (line ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries))], rdt.Find("enableMonitoring").Flag());
    }

    /// <summary>Where resctrl is mounted; null where it is not.</summary>
    internal static string? Root => MountEntry.Parse(SmallFile.ReadText("/proc/self/mountinfo")).Where(mount => mount.Type == "resctrl").Select(mount => mount.MountPoint).FirstOrDefault();

    /// <summary>Puts a process that has one thread into its class, which is made where it is not there.</summary>
    /// <param name="root">Where resctrl is mounted.</param>
    /// <param name="id">Of the container.</param>
    /// <param name="processId">Of its first process.</param>
    /// <exception cref="OciRuntimeException">The class is another than the one that is asked for, or the processor has no such share.</exception>
    internal void Join(string root, string id, int processId)
    {
        string directory = DirectoryOf(root, id);
        try
        {
            if (Class is not null && Directory.Exists(directory)) Compare(directory);
            else if (Class is not null && Schemata.IsEmpty) throw new OciRuntimeException($"$.linux.intelRdt.closID: there is no class '{Class}', and no schemata that it could be made of");
            else
            {
                Directory.CreateDirectory(directory);
                try
                {
                    if (!Schemata.IsEmpty) Write(directory, "schemata", string.Concat(Schemata.Select(line => line + "\n")));
                }
                catch
                {
                    // A class that others could take for the one that was asked for.
                    Remove(directory);
                    throw;
                }
            }

            string process = processId.ToString(CultureInfo.InvariantCulture);
            Write(directory, "tasks", process);
            if (!Monitors) return;
            Directory.CreateDirectory(MonitorOf(directory, id));
            Write(MonitorOf(directory, id), "tasks", process);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            string status = SmallFile.ReadText(Path.Join(root, "info/last_cmd_status")).Trim();
            throw new OciRuntimeException($"$.linux.intelRdt: {exception.Message}{(status is "" or "ok" ? "" : $" (the kernel says: {status})")}", exception);
        }
    }

    /// <summary>Removes what was the container's own. What others share stays.</summary>
    internal void Leave(string root, string id)
    {
        string directory = DirectoryOf(root, id);
        if (Monitors) Remove(MonitorOf(directory, id));
        if (Class is null) Remove(directory);
    }

    private static string MonitorOf(string directory, string id) => Path.Join(directory, "mon_groups", id);

    private static void Remove(string directory)
    {
        try
        {
            // Its files are the kernel's, and go with it.
            Directory.Delete(directory);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Gone, or never made.
        }
    }

    private static void Write(string directory, string file, string text)
    {
        using FileStream stream = new(Path.Join(directory, file), FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        stream.Write(System.Text.Encoding.UTF8.GetBytes(text));
    }

    private string DirectoryOf(string root, string id) => Class == "/" ? root : Path.Join(root, Class ?? id);

    /// <summary>A class that is there already is what is asked for, or it is an error: others are in it.</summary>
    private void Compare(string directory)
    {
        Dictionary<(string, string), string> there = Shares(SmallFile.ReadText(Path.Join(directory, "schemata")).Split('\n'));
        foreach (((string resource, string domain), string share) in Shares(Schemata))
            if (!there.TryGetValue((resource, domain), out string? own) || own != share)
                throw new OciRuntimeException($"$.linux.intelRdt: the class '{Class}' is there with another share: {resource}:{domain}={own ?? "nothing"}, and not {share}");
    }

    /// <summary>Lines such as <c>L3:0=7f0;1=1f</c>, by resource and domain.</summary>
    private static Dictionary<(string Resource, string Domain), string> Shares(IEnumerable<string> lines)
    {
        Dictionary<(string, string), string> shares = [];
        foreach (string line in lines)
        {
            if (line.Split(':', 2, StringSplitOptions.TrimEntries) is not [var resource, var domains]) continue;
            foreach (string part in domains.Split(';', StringSplitOptions.TrimEntries))
                if (part.Split('=', 2, StringSplitOptions.TrimEntries) is [var domain, var share]) shares[(resource, domain)] = share.TrimStart('0').ToLowerInvariant();
        }

        return shares;
    }
}
