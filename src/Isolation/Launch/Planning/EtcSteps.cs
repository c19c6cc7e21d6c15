using System.Text;
using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

/// <summary>
/// <c>/etc/hosts</c>, <c>/etc/hostname</c> and <c>/etc/resolv.conf</c>: written into the private layer where there is
/// one, else bound over the root's own files. The directory beneath is never written.
/// </summary>
internal static class EtcSteps
{
    private const string Hosts = "etc/hosts", HostName = "etc/hostname", Resolver = "etc/resolv.conf";

    internal static bool IsFile(string target) => target is Hosts or HostName or Resolver;

    /// <summary>The files this container is given, as targets without the leading slash.</summary>
    internal static IEnumerable<string> Targets(ContainerSpec spec)
    {
        if (!spec.Namespaces.IsNew(NamespaceKind.Mount)) yield break;
        if (spec.Namespaces.IsNew(NamespaceKind.Network) && !Overridden(spec, Hosts)) yield return Hosts;
        if (spec.Namespaces.IsNew(NamespaceKind.Uts) && !Overridden(spec, HostName)) yield return HostName;
        bool resolver = spec.Root is DirectoryRoot or LayersRoot || !spec.DnsServers.IsEmpty;
        if (resolver && !Overridden(spec, Resolver)) yield return Resolver;
    }

    internal static void WriteIntoLayer(MountWriter mounts, string directory, Slot id, bool make = true)
    {
        List<string> targets = [.. Targets(mounts.Inputs.Spec)];
        if (targets.Count == 0) return;
        mounts.Writer.For("write the files of /etc");
        if (make) mounts.Writer.Call(mkdirat, mounts.Scratch, directory, Operand.Octal(0x1ED));
        foreach (string target in targets)
            Write(mounts, target, $"{directory}/{target["etc/".Length..]}", id);
    }

    /// <summary>Where no layer took the files: each is bound over the root's own.</summary>
    internal static void BindFiles(MountWriter mounts, Slot id)
    {
        foreach (string target in Targets(mounts.Inputs.Spec))
        {
            mounts.Writer.For($"provide /{target}");
            string name = target["etc/".Length..];
            Write(mounts, target, name, id);

            // Not there although it was made where it was missing: a link to nowhere, or the host lacks it.
            Label missing = new($"/{target} is not there"), done = new($"/{target} provided");
            Slot place = mounts.OpenInRoot(target, whenMissing: missing);
            mounts.AttachTo(mounts.CloneOfScratch(name), place);
            mounts.Writer.Mark(done);
            mounts.Writer.Later(() =>
            {
                mounts.Writer.Mark(missing);
                mounts.Notes.Send("/" + target, "not provided, because the root has no file there, or a link to nowhere", done);
            });
        }
    }

    private static void Write(MountWriter mounts, string target, string path, Slot id)
    {
        ContainerSpec spec = mounts.Inputs.Spec;
        (Operand, int) name = spec.HostName is { } given
            ? Part(given)
            : spec.Namespaces.IsNew(NamespaceKind.Uts) ? (Operand.AddressOf(id), LaunchPlanner.IdLength) : Part("localhost");
        switch (target)
        {
            case HostName:
                mounts.WriteFile(mounts.Scratch, path, name, Part("\n"));
                break;
            case Hosts:
                mounts.WriteFile(mounts.Scratch, path, Part(Loopback), name, Part(ExtraHosts(spec)));
                break;
            default:
                mounts.WriteFile(mounts.Scratch, path, Part(Servers(mounts.Inputs)));
                break;
        }
    }

    /// <summary>The same as text, for whoever writes the files himself.</summary>
    internal static string TextOf(string target, PlanInputs inputs, string hostName)
    {
        string name = inputs.Spec.HostName ?? hostName;
        return target switch
        {
            HostName => name + "\n",
            Hosts => Loopback + name + ExtraHosts(inputs.Spec),
            _ => Servers(inputs),
        };
    }

    private const string Loopback = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.1.1\t";

    private static string ExtraHosts(ContainerSpec spec) => "\n" + string.Concat(spec.ExtraHosts.Select(host => $"{host.Address}\t{host.Name}\n"));

    private static string Servers(PlanInputs inputs) => inputs.Spec.DnsServers.IsEmpty ? inputs.Host.ResolvConf : string.Concat(inputs.Spec.DnsServers.Select(server => $"nameserver {server}\n"));

    private static (Operand Content, int Length) Part(string text) => (Operand.Content(text), Encoding.UTF8.GetByteCount(text));

    private static bool Overridden(ContainerSpec spec, string target) =>
        spec.Mounts.Any(mount => mount.Target.AsSpan(1).SequenceEqual(target) || mount.Target == "/etc");
}
