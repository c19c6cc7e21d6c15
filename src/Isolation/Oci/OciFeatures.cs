using System.Text.Json;
using Isolation.Cgroups;
using Isolation.Launch;

namespace Isolation;

/// <summary>What this runtime can do on this machine (runtime-spec features.md), and a configuration to begin with.</summary>
public static class OciFeatures
{
    private static readonly string[] HookPoints = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"];
    private static readonly string[] NamespaceTypes = ["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"];
    private static readonly string[] DefaultCapabilities = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"];

    /// <summary>As features-schema.json has it.</summary>
    public static string ToJson()
    {
        HostFacts host = HostFactsReader.Current;
        return OciJson.Write(writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("ociVersionMin", "1.0.0");
            writer.WriteString("ociVersionMax", OciState.SpecificationVersion);
            Strings(writer, "hooks", HookPoints);
            Strings(writer, "mountOptions", OciMountOptions.Known.Order(StringComparer.Ordinal));
            writer.WriteStartObject("linux");
            Strings(writer, "namespaces", NamespaceTypes);
            Strings(writer, "capabilities", Enum.GetValues<Capability>().Where(capability => host.KnownCapabilities.Has((int)capability)).Select(OciCapability.NameOf));
            writer.WriteStartObject("cgroup");
            writer.WriteBoolean("v1", CgroupSystem.Current.Mode != CgroupMode.V2);
            writer.WriteBoolean("v2", CgroupSystem.Current.Unified is not null);
            bool asksSystemd = CgroupSystem.Current.Mode == CgroupMode.V2 && SystemdClient.Find(out _) is not null;
            writer.WriteBoolean("systemd", asksSystemd);
            writer.WriteBoolean("systemdUser", asksSystemd);
            writer.WriteBoolean("rdma", CgroupSystem.Current[CgroupController.Rdma].Absence is null);
            writer.WriteEndObject();
            writer.WriteStartObject("seccomp");
            writer.WriteBoolean("enabled", true);
            Strings(writer, "actions", ["SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_LOG", "SCMP_ACT_NOTIFY", "SCMP_ACT_TRACE", "SCMP_ACT_TRAP"]);
            Strings(writer, "operators", ["SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_LE", "SCMP_CMP_LT", "SCMP_CMP_MASKED_EQ", "SCMP_CMP_NE"]);
            Strings(writer, "archs", ["SCMP_ARCH_AARCH64", "SCMP_ARCH_X32", "SCMP_ARCH_X86", "SCMP_ARCH_X86_64"]);
            writer.WriteEndObject();
            Enabled(writer, "apparmor", true);
            Enabled(writer, "selinux", true);
            Enabled(writer, "intelRdt", true);
            Enabled(writer, "netDevices", true);
            writer.WriteStartObject("mountExtensions");
            Enabled(writer, "idmap", host.HasMountSetAttr);
            writer.WriteEndObject();
            writer.WriteStartObject("memoryPolicy");
            Strings(writer, "modes", OciScheduling.MemoryModes);
            Strings(writer, "flags", OciScheduling.MemoryFlags);
            writer.WriteEndObject();
            writer.WriteEndObject();
            writer.WriteEndObject();
        }, indented: true);
    }

    /// <summary>A configuration of a shell in <c>rootfs</c>, as other runtimes' <c>spec</c> writes.</summary>
    /// <param name="rootless">For a caller without privilege: with a user namespace and the caller's own id.</param>
    public static string ExampleConfig(bool rootless = false)
    {
        HostFacts host = HostFactsReader.Current;
        return OciJson.Write(writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("ociVersion", OciState.SpecificationVersion);
            writer.WriteStartObject("process");
            writer.WriteBoolean("terminal", true);
            writer.WriteStartObject("user");
            writer.WriteNumber("uid", 0);
            writer.WriteNumber("gid", 0);
            writer.WriteEndObject();
            Strings(writer, "args", ["sh"]);
            Strings(writer, "env", ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"]);
            writer.WriteString("cwd", "/");
            writer.WriteStartObject("capabilities");
            foreach (string set in (string[])["bounding", "effective", "permitted"]) Strings(writer, set, DefaultCapabilities);
            writer.WriteEndObject();
            writer.WriteStartArray("rlimits");
            writer.WriteStartObject();
            writer.WriteString("type", "RLIMIT_NOFILE");
            writer.WriteNumber("hard", 1024);
            writer.WriteNumber("soft", 1024);
            writer.WriteEndObject();
            writer.WriteEndArray();
            writer.WriteBoolean("noNewPrivileges", true);
            writer.WriteEndObject();
            writer.WriteStartObject("root");
            writer.WriteString("path", "rootfs");
            writer.WriteBoolean("readonly", true);
            writer.WriteEndObject();
            writer.WriteString("hostname", "isolation");
            writer.WriteStartArray("mounts");
            Mount(writer, "/proc", "proc", "proc");
            Mount(writer, "/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k");
            if (rootless) Mount(writer, "/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620");
            else Mount(writer, "/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5");
            Mount(writer, "/dev/shm", "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k");
            Mount(writer, "/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev");
            Mount(writer, "/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro");
            Mount(writer, "/sys/fs/cgroup", "cgroup", "cgroup", "nosuid", "noexec", "nodev", "relatime", "ro");
            writer.WriteEndArray();
            writer.WriteStartObject("linux");
            if (rootless)
            {
                Mapping(writer, "uidMappings", host.UserId);
                Mapping(writer, "gidMappings", host.GroupId);
            }

            writer.WriteStartObject("resources");
            writer.WriteStartArray("devices");
            writer.WriteStartObject();
            writer.WriteBoolean("allow", false);
            writer.WriteString("access", "rwm");
            writer.WriteEndObject();
            writer.WriteEndArray();
            writer.WriteEndObject();
            writer.WriteStartArray("namespaces");
            foreach (string type in (string[])["pid", "network", "ipc", "uts", "mount", "cgroup", .. rootless ? (string[])["user"] : []])
            {
                writer.WriteStartObject();
                writer.WriteString("type", type);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            Strings(writer, "maskedPaths", HidingSteps.DefaultMasked.Select(path => "/" + path));
            Strings(writer, "readonlyPaths", HidingSteps.DefaultReadOnly.Select(path => "/" + path));
            writer.WriteEndObject();
            writer.WriteEndObject();
        }, indented: true);
    }

    private static void Mount(Utf8JsonWriter writer, string destination, string type, string source, params string[] options)
    {
        writer.WriteStartObject();
        writer.WriteString("destination", destination);
        writer.WriteString("type", type);
        writer.WriteString("source", source);
        if (options.Length > 0) Strings(writer, "options", options);
        writer.WriteEndObject();
    }

    private static void Mapping(Utf8JsonWriter writer, string name, uint id)
    {
        writer.WriteStartArray(name);
        writer.WriteStartObject();
        writer.WriteNumber("containerID", 0);
        writer.WriteNumber("hostID", id);
        writer.WriteNumber("size", 1);
        writer.WriteEndObject();
        writer.WriteEndArray();
    }

    private static void Enabled(Utf8JsonWriter writer, string name, bool value)
    {
        writer.WriteStartObject(name);
        writer.WriteBoolean("enabled", value);
        writer.WriteEndObject();
    }

    private static void Strings(Utf8JsonWriter writer, string name, IEnumerable<string> values)
    {
        writer.WriteStartArray(name);
        foreach (string value in values) writer.WriteStringValue(value);
        writer.WriteEndArray();
    }
}
