namespace Isolation.Cgroups.Tests;

/// <summary>The kernel's v1 controller as security/device_cgroup.c has it, for one group whose parent allows everything.</summary>
internal sealed class V1Controller
{
    private readonly List<(char Type, string Major, string Minor, string Access)> _exceptions = [];
    private bool _allowedOtherwise = true;

    internal void Write(DeviceWrite write)
    {
        bool allow = write.File switch { "devices.allow" => true, "devices.deny" => false, _ => throw new ArgumentException(write.File) };
        if (write.Text[0] == 'a')
        {
            _exceptions.Clear();
            _allowedOtherwise = allow;
            return;
        }
        string[] words = write.Text.Split(' ', ':');
        Assert.Equal(4, words.Length);
        int at = _exceptions.FindIndex(e => e.Type == words[0][0] && e.Major == words[1] && e.Minor == words[2]);
        if (allow == _allowedOtherwise)
        {
            if (at < 0) return;
            string rest = string.Concat(_exceptions[at].Access.Except(words[3]));
            if (rest.Length == 0) _exceptions.RemoveAt(at);
            else _exceptions[at] = _exceptions[at] with { Access = rest };
        }
        else if (at < 0)
        {
            _exceptions.Add((words[0][0], words[1], words[2], words[3]));
        }
        else
        {
            _exceptions[at] = _exceptions[at] with { Access = string.Concat(_exceptions[at].Access.Union(words[3])) };
        }
    }

    internal bool Allows(DeviceType type, int major, int minor, DeviceAccess access)
    {
        string uses = DeviceRule.Letters(access);
        var about = _exceptions.Where(e =>
            e.Type == (type == DeviceType.Char ? 'c' : 'b') && (e.Major == "*" || e.Major == $"{major}") && (e.Minor == "*" || e.Minor == $"{minor}"));
        return _allowedOtherwise ? !about.Any(e => uses.Any(e.Access.Contains)) : about.Any(e => uses.All(e.Access.Contains));
    }
}
