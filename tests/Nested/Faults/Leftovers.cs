using System.Globalization;
using Isolation.Linux;

namespace Isolation.Nested;

/// <summary>
/// What this process has of the system, and what others would find of it: descriptors, children, records, mounts,
/// network interfaces and control groups. Taken once, it is compared with later.
/// </summary>
internal sealed class Leftovers
{
    private readonly string _state;
    private readonly string[] _descriptors, _mounts, _links, _files, _groups;
    private readonly int _children, _registrations;

    private Leftovers(string state)
    {
        _state = state;
        (_descriptors, _mounts, _links, _files, _groups) = (Descriptors(), Mounts(), Links(), Files(state), FaultGroups.Of(state));
        (_children, _registrations) = (Children().Count, DescriptorEvents.Shared.Table.Count);
    }

    /// <param name="state">The state directory that is used.</param>
    internal static Leftovers Read(string state) => new(state);

    /// <summary>Waits until no more is there than was, and says what stays: some of it is let go of by other threads.</summary>
    internal async Task<string> SettleAsync()
    {
        for (int attempt = 0; ; attempt++)
        {
            string more = More();
            if (more.Length == 0) return "nothing";
            if (attempt == 400) return more;
            if (attempt == 100) GC.Collect();
            await Task.Delay(attempt < 20 ? 1 : 10);
        }
    }

    private string More()
    {
        List<string> more = [];
        // By count: what was let go of and opened again since has another number. By name only to say which.
        string[] descriptors = Descriptors();
        if (descriptors.Length > _descriptors.Length) more.Add($"{descriptors.Length - _descriptors.Length} descriptors, of {string.Join(", ", descriptors.Except(_descriptors))}");
        List<int> children = Children();
        if (children.Count > _children) more.Add(string.Create(CultureInfo.InvariantCulture, $"{children.Count - _children} children, of {string.Join(' ', children)}"));
        int registrations = DescriptorEvents.Shared.Table.Count - _registrations;
        if (registrations > 0) more.Add(string.Create(CultureInfo.InvariantCulture, $"{registrations} registrations"));
        more.AddRange(Files(_state).Except(_files).Select(file => "the file " + file));
        more.AddRange(Mounts().Except(_mounts).Select(mount => "the mount " + mount));
        more.AddRange(Links().Except(_links).Select(link => "the link " + link));
        more.AddRange(FaultGroups.Of(_state).Except(_groups).Select(group => "the control group " + group));
        return string.Join("; ", more);
    }

    /// <summary>Without the images of launches, of which a bounded number is kept, and what the runtime opens when it likes.</summary>
    private static string[] Descriptors() =>
    [
        .. Directory.EnumerateFileSystemEntries("/proc/self/fd").Select(entry => $"{Path.GetFileName(entry)} {Target(entry)}")
            .Where(entry => !entry.EndsWith(' ') && !entry.Contains("/memfd:isolation", StringComparison.Ordinal)
                && !entry.EndsWith("(deleted)", StringComparison.Ordinal) && !entry.EndsWith(".dll", StringComparison.Ordinal)),
    ];

    private static string? Target(string descriptor)
    {
        try
        {
            return new FileInfo(descriptor).LinkTarget;
        }
        catch (IOException)
        {
            return null; // closed since it was listed
        }
    }

    internal static string[] Mounts() => File.ReadAllLines("/proc/self/mountinfo");

    internal static string[] Links() => Directory.Exists("/sys/class/net") ? Directory.GetFileSystemEntries("/sys/class/net") : [];

    /// <summary>Everything in a state directory but the two directories that it consists of.</summary>
    internal static string[] Files(string state) => [.. new[] { "owners", "aside" }.Select(folder => Path.Join(state, folder)).Where(Directory.Exists)
        .SelectMany(folder => Directory.GetFileSystemEntries(folder, "*", SearchOption.AllDirectories))];

    /// <summary>Those that have ended and that nobody has reaped count too.</summary>
    internal static List<int> Children()
    {
        List<int> children = [];
        foreach (string task in Directory.GetDirectories("/proc/self/task"))
        {
            try
            {
                children.AddRange(File.ReadAllText(task + "/children").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => int.Parse(word, CultureInfo.InvariantCulture)));
            }
            catch (IOException)
            {
                // The thread has ended since it was listed.
            }
        }

        return children;
    }
}
