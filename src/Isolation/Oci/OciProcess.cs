using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Isolation.Linux;

namespace Isolation;

/// <summary>The object <c>process</c> of a configuration, which <c>exec --process</c> takes by itself too.</summary>
internal static class OciProcess
{
    private static readonly Dictionary<string, ResourceLimitKind> Limits = new(StringComparer.Ordinal)
    {
        ["RLIMIT_CPU"] = ResourceLimitKind.CpuTime, ["RLIMIT_FSIZE"] = ResourceLimitKind.FileSize, ["RLIMIT_DATA"] = ResourceLimitKind.Data, ["RLIMIT_STACK"] = ResourceLimitKind.Stack,
        ["RLIMIT_CORE"] = ResourceLimitKind.CoreDump, ["RLIMIT_RSS"] = (ResourceLimitKind)5, ["RLIMIT_NPROC"] = ResourceLimitKind.Processes, ["RLIMIT_NOFILE"] = ResourceLimitKind.OpenFiles,
        ["RLIMIT_MEMLOCK"] = ResourceLimitKind.LockedMemory, ["RLIMIT_AS"] = ResourceLimitKind.AddressSpace, ["RLIMIT_LOCKS"] = ResourceLimitKind.Locks, ["RLIMIT_SIGPENDING"] = ResourceLimitKind.PendingSignals,
        ["RLIMIT_MSGQUEUE"] = ResourceLimitKind.MessageQueues, ["RLIMIT_NICE"] = (ResourceLimitKind)13, ["RLIMIT_RTPRIO"] = (ResourceLimitKind)14, ["RLIMIT_RTTIME"] = (ResourceLimitKind)15,
    };

    internal static string NameOf(ResourceLimitKind kind) => Limits.First(pair => pair.Value == kind).Key;

    /// <exception cref="FormatException">Something in it cannot be.</exception>
    internal static ContainerSpec Apply(ContainerSpec spec, OciNode process)
    {
        string directory = process.Get("cwd").Text();
        if (!directory.StartsWith('/')) throw process.Get("cwd").Bad($"'{directory}' is to be an absolute path");
        string[] arguments = process.Find("args").Texts();
        if (arguments is ["", ..]) throw process.Get("args").Bad("the program has no name");
        spec = spec with
        {
            Command = [.. arguments],
            WorkingDirectory = directory,
            Environment = Environment(process.Find("env")),
            NoNewPrivileges = process.Find("noNewPrivileges").Flag(),
            Sets = Capabilities(process.Find("capabilities")),
            ResourceLimits = ResourceLimits(process.Find("rlimits")),
            OomScoreAdjustment = process.Find("oomScoreAdj") is { } score ? (int)score.Number(-1000, 1000) : null,
            AppArmor = process.Find("apparmorProfile") is { } profile && profile.Text() is { Length: > 0 } and not "unconfined" ? new(profile.Checked(node => AppArmorProfiles.Checked(node.Text())), Stacked: false, Preferred: false) : null,
            Terminal = process.Find("terminal").Flag() ? Size(process.Find("consoleSize")) : null,
            IoPriority = IoPriority(process.Find("ioPriority")),
        };
        string? label = process.Find("selinuxLabel") is { } given && given.Text().Length > 0 ? given.Checked(node => SelinuxLabels.Checked(node.Text(), "label")) : null;
        if (label is not null || spec.Selinux is not null) spec = spec with { Selinux = new(label, spec.Selinux?.Mounts, Preferred: true) };
        if (process.Find("execCPUAffinity").Find("initial") is { } initial && initial.Text().Length > 0) spec = spec with { Processors = [.. initial.Checked(node => Processors(node.Text()))] };
        if (process.Find("execCPUAffinity").Find("final") is { } final && final.Text().Length > 0) spec = spec with { Processors = [.. final.Checked(node => Processors(node.Text()))] };
        return OciScheduling.Apply(User(spec, process.Find("user")), process.Find("scheduler"));
    }

    private static ContainerSpec User(ContainerSpec spec, OciNode? user)
    {
        uint id = user.Find("uid")?.Id() ?? 0, group = user.Find("gid")?.Id() ?? 0;
        if (id == uint.MaxValue) throw user.Find("uid")!.Value.Bad("4294967295 is no id");
        if (group == uint.MaxValue) throw user.Find("gid")!.Value.Bad("4294967295 is no id");
        return spec with
        {
            User = UserSpec.Parse(string.Create(CultureInfo.InvariantCulture, $"{id}:{group}")),
            Groups = [.. user.Find("additionalGids").Items().Select(item => item.Id())],
            Umask = user.Find("umask") is { } mask ? (int)mask.Number(0, 0x1FF) : 0x12,
        };
    }

    private static ImmutableSortedDictionary<string, string> Environment(OciNode? node)
    {
        ImmutableSortedDictionary<string, string>.Builder variables = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (OciNode variable in node.Items())
        {
            if (variable.Text().Split('=', 2) is not [{ Length: > 0 } name, { } value]) throw variable.Bad($"'{variable.Text()}' is to be NAME=value");
            if (variable.Text().Contains('\0')) throw variable.Bad("it contains a NUL");
            variables[name] = value;
        }

        return variables.ToImmutable();
    }

    // A capability that is not known, here or to the kernel, cannot be given; it is left out, as the specification wants (config.md, "capabilities").
    private static CapabilitySets Capabilities(OciNode? node)
    {
        return new(Set("bounding"), Set("effective"), Set("permitted"), Set("inheritable"), Set("ambient"));

        CapabilitySet Set(string name)
        {
            CapabilitySet set = CapabilitySet.None;
            foreach (OciNode item in node.Find(name).Items())
            {
                string text = item.Text();
                if (!OciCapability.IsName(text)) throw item.Bad($"'{text}' is no name of a capability: CAP_…");
                if (OciCapability.Parse(text) is { } capability) set = set.With(capability);
            }

            return set;
        }
    }

    private static ImmutableSortedDictionary<ResourceLimitKind, ResourceLimit> ResourceLimits(OciNode? node)
    {
        ImmutableSortedDictionary<ResourceLimitKind, ResourceLimit>.Builder limits = ImmutableSortedDictionary.CreateBuilder<ResourceLimitKind, ResourceLimit>();
        foreach (OciNode item in node.Items())
        {
            OciNode type = item.Get("type");
            if (!Limits.TryGetValue(type.Text(), out ResourceLimitKind kind)) throw type.Bad($"'{type.Text()}' is no limit of Linux (getrlimit(2))");
            ulong soft = item.Get("soft").Unsigned(), hard = item.Get("hard").Unsigned();
            if (soft > hard) throw item.Get("soft").Bad($"{soft} is above the hard limit {hard}");
            if (!limits.TryAdd(kind, new(soft, hard))) throw type.Bad($"'{type.Text()}' is there twice");
        }

        return limits.ToImmutable();
    }

    private static TerminalSize Size(OciNode? node) =>
        node is { } size ? new((int)size.Get("width").Number(0, ushort.MaxValue), (int)size.Get("height").Number(0, ushort.MaxValue)) : new(0, 0);

    private static (IoPriorityClass, int)? IoPriority(OciNode? node)
    {
        if (node is not { } io) return null;
        OciNode name = io.Get("class");
        IoPriorityClass kind = name.Text() switch
        {
            "IOPRIO_CLASS_RT" => IoPriorityClass.RealTime,
            "IOPRIO_CLASS_BE" => IoPriorityClass.BestEffort,
            "IOPRIO_CLASS_IDLE" => IoPriorityClass.Idle,
            { } other => throw name.Bad($"'{other}' is no class of io priority"),
        };
        return (kind, (int)(io.Find("priority")?.Number(0, 7) ?? 0));
    }

    private static List<int> Processors(string list) => OciScheduling.Numbers(list, "processors");
}
