using Isolation.Linux;

namespace Isolation;

/// <summary>What the policy in use calls containers, and files of theirs: <c>contexts/lxc_contexts</c> of the policy that <c>/etc/selinux/config</c> names.</summary>
internal static class SelinuxTypes
{
    private const string Process = "system_u:system_r:container_t:s0", Files = "system_u:object_r:container_file_t:s0";

    /// <returns>Labels without categories; the usual names where the policy says none.</returns>
    internal static (string Process, string Files) Read(string root = "/etc/selinux")
    {
        Dictionary<string, string> config = Settings(Path.Join(root, "config"));
        Dictionary<string, string> contexts = Settings(Path.Join(root, config.GetValueOrDefault("SELINUXTYPE", "targeted"), "contexts/lxc_contexts"));
        return (contexts.GetValueOrDefault("process", Process), contexts.GetValueOrDefault("file", Files));
    }

    private static Dictionary<string, string> Settings(string path)
    {
        Dictionary<string, string> settings = new(StringComparer.Ordinal);
        foreach (string line in SmallFile.ReadText(path).Split('\n'))
            if (!line.TrimStart().StartsWith('#') && line.Split('=', 2) is [{ } key, { } value]) settings[key.Trim()] = value.Trim().Trim('"');
        return settings;
    }
}
