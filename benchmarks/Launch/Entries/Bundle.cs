using System.Text.Json.Nodes;
using Isolation.Launch;

namespace Isolation.Benchmarks;

/// <summary>
/// An OCI bundle (runtime-spec, config.md) that asks for what the headline does: the same namespaces, mounts, generated
/// files, masks, capabilities; no control groups.
/// </summary>
internal sealed class Bundle
{
    internal Bundle(BusyboxRoot root, params string[] command)
        : this(root, null, command)
    {
    }

    /// <param name="root">Its root.</param>
    /// <param name="limits">The runtime-spec's <c>linux.resources</c>; null for no limits.</param>
    /// <param name="command">What it runs; <c>/bin/true</c> if it is empty.</param>
    internal Bundle(BusyboxRoot root, JsonObject? limits, params string[] command)
        : this((command.Length == 0 ? "bundle" : "bundle-" + System.IO.Path.GetFileName(command[0])) + (limits is null ? "" : "-limited"), root, limits, null, command.Length == 0 ? ["/bin/true"] : command)
    {
    }

    /// <param name="root">Its root.</param>
    /// <param name="seccomp">The runtime-spec's <c>linux.seccomp</c>.</param>
    /// <param name="name">Of its directory.</param>
    /// <param name="command">What it runs.</param>
    internal Bundle(BusyboxRoot root, JsonObject seccomp, string name, string command)
        : this(name, root, null, seccomp, [command])
    {
    }

    private Bundle(string name, BusyboxRoot root, JsonObject? limits, JsonObject? seccomp, string[] command)
    {
        Path = root.Scratch(name);
        foreach (string file in (ReadOnlySpan<string>)["hosts", "hostname", "resolv.conf"]) File.WriteAllText(System.IO.Path.Join(Path, file), "isolation\n");
        JsonObject configuration = Configuration(root, command);
        configuration["linux"]!["resources"] = limits;
        configuration["linux"]!["seccomp"] = seccomp;
        File.WriteAllText(System.IO.Path.Join(Path, "config.json"), configuration.ToJsonString());
    }

    internal string Path { get; }

    private JsonObject Configuration(BusyboxRoot root, string[] command) => new()
    {
        ["ociVersion"] = "1.0.2",
        ["hostname"] = "isolation",
        ["root"] = new JsonObject { ["path"] = root.Path, ["readonly"] = true },
        ["process"] = new JsonObject
        {
            ["terminal"] = false,
            ["user"] = new JsonObject { ["uid"] = 0, ["gid"] = 0 },
            ["args"] = new JsonArray([.. command.Select(JsonNode (argument) => argument)]),
            ["env"] = new JsonArray("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
            ["cwd"] = "/",
            ["noNewPrivileges"] = true,
            ["capabilities"] = Capabilities(),
        },
        ["mounts"] = new JsonArray(
            Mount("/proc", "proc", "nosuid", "noexec", "nodev"),
            Mount("/sys", "sysfs", "nosuid", "noexec", "nodev", "ro"),
            Mount("/dev", "tmpfs", "nosuid", "noexec", "mode=755", "size=64k"),
            Mount("/dev/pts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"),
            Mount("/dev/shm", "tmpfs", "nosuid", "noexec", "nodev", "mode=1777", "size=64m"),
            Mount("/dev/mqueue", "mqueue", "nosuid", "noexec", "nodev"),
            Mount("/tmp", "tmpfs", "nosuid", "nodev", "mode=1777", "size=256m"),
            Mount("/run", "tmpfs", "nosuid", "nodev", "mode=755", "size=64m"),
            Provided("hosts"),
            Provided("hostname"),
            Provided("resolv.conf")),
        ["linux"] = new JsonObject
        {
            ["namespaces"] = new JsonArray([.. ((string[])["pid", "network", "ipc", "uts", "mount", "cgroup"]).Select(JsonNode (kind) => new JsonObject { ["type"] = kind })]),
            ["maskedPaths"] = new JsonArray([.. HidingSteps.DefaultMasked.Select(JsonNode (path) => "/" + path)]),
            ["readonlyPaths"] = new JsonArray([.. HidingSteps.DefaultReadOnly.Select(JsonNode (path) => "/" + path)]),
        },
    };

    private static JsonObject Capabilities()
    {
        JsonObject sets = [];
        foreach (string set in (ReadOnlySpan<string>)["bounding", "effective", "permitted"])
        {
            sets[set] = new JsonArray([.. ((string[])
            [
                "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID",
                "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE",
            ]).Select(JsonNode (name) => name)]);
        }

        return sets;
    }

    private static JsonObject Mount(string target, string type, params string[] options) => new()
    {
        ["destination"] = target,
        ["type"] = type,
        ["source"] = type,
        ["options"] = new JsonArray([.. options.Select(JsonNode (option) => option)]),
    };

    private JsonObject Provided(string name) => new()
    {
        ["destination"] = "/etc/" + name,
        ["type"] = "bind",
        ["source"] = System.IO.Path.Join(Path, name),
        ["options"] = new JsonArray("bind", "ro"),
    };
}
