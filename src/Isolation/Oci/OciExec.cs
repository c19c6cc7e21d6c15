using System.Globalization;

namespace Isolation;

/// <summary>What <c>exec</c> says beside the container's own program.</summary>
internal static class OciExec
{
    /// <exception cref="FormatException">A user or capability is none.</exception>
    /// <exception cref="ArgumentException">A profile or label is none.</exception>
    internal static ContainerSpec Apply(ContainerSpec spec, OciExecOptions options)
    {
        if (options.Command.Count > 0) spec = spec with { Command = [.. options.Command] };
        foreach (string variable in options.Environment)
        {
            if (variable.Split('=', 2) is not [{ Length: > 0 } name, { } value]) throw new FormatException($"'{variable}' is to be NAME=value");
            spec = spec with { Environment = spec.Environment.SetItem(name, value) };
        }

        if (options.WorkingDirectory is { } directory)
            spec = spec with { WorkingDirectory = directory.StartsWith('/') ? directory : throw new FormatException($"'{directory}' is to be an absolute path") };
        if (options.User is { } user)
        {
            uint[] ids = [.. user.Split(':').Select(part => uint.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out uint id) && id != uint.MaxValue ? id : throw new FormatException($"'{user}' is to be uid[:gid]"))];
            if (ids.Length > 2) throw new FormatException($"'{user}' is to be uid[:gid]");
            spec = spec with { User = UserSpec.Parse(string.Create(CultureInfo.InvariantCulture, $"{ids[0]}:{(ids.Length > 1 ? ids[1] : 0)}")), Groups = [] };
        }

        if (options.AppArmorProfile is { } profile) spec = spec with { AppArmor = profile == "unconfined" ? null : new(AppArmorProfiles.Checked(profile), Stacked: false, Preferred: false) };
        if (options.SelinuxLabel is { } label) spec = spec with { Selinux = new(SelinuxLabels.Checked(label, "label"), null, Preferred: false) };
        if (options.AdditionalGroups.Count > 0) spec = spec with { Groups = [.. spec.Groups ?? [], .. options.AdditionalGroups] };
        foreach (string name in options.Capabilities)
        {
            Capability capability = OciCapability.Parse(name) ?? throw new FormatException($"'{name}' is no capability");
            CapabilitySets sets = spec.Sets!;
            spec = spec with { Sets = new(sets.Bounding.With(capability), sets.Effective.With(capability), sets.Permitted.With(capability), sets.Inheritable, sets.Ambient) };
        }

        return spec;
    }
}
