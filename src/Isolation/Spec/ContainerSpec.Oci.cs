namespace Isolation;

public sealed partial record ContainerSpec
{
    /// <summary>The configuration that this was read from; null where it was built.</summary>
    internal OciConfig? Oci { get; init; }

    /// <summary>
    /// Reads a <c>config.json</c> of the Open Container Initiative (runtime-spec 1.3). What is started of it has what the configuration lists and nothing besides: no
    /// file systems, filter or limits of this library's. Its hooks are run; its control group is where this library makes them (<c>linux.cgroupsPath</c> is an OCI
    /// runtime's, <see cref="OciRuntimeRoot"/>); its output is captured.
    /// </summary>
    /// <param name="json">The document.</param>
    /// <param name="bundle">The directory that its relative paths are in, an absolute path.</param>
    /// <exception cref="FormatException">It is none, or for another system: the path of what is wrong, as <c>$.linux.namespaces[0].type</c>, and why.</exception>
    public static ContainerSpec FromOci(string json, string bundle = "/")
    {
        ArgumentNullException.ThrowIfNull(json);
        ArgumentException.ThrowIfNullOrEmpty(bundle);
        if (!Path.IsPathRooted(bundle)) throw new ArgumentException($"The bundle '{bundle}' is to be an absolute path.", nameof(bundle));
        OciConfig config = OciConfig.Read(System.Text.Encoding.UTF8.GetBytes(json), bundle);
        Cgroups.ResourceLimits limits = OciGroups.WithUsualDevices(config.Limits);

        // Who may not make device files, and opens none in a user namespace, need not be kept from them.
        return OciGroups.IsHostsRoot ? config.Spec with { Oci = config, Limits = limits }
            : config.Spec with { Oci = config, Limits = OciGroups.Limits(config) ? limits with { Devices = [] } : Cgroups.ResourceLimits.None, PreferredLimits = limits.Devices.IsEmpty ? Cgroups.ResourceLimits.None : new() { Devices = limits.Devices } };
    }

    /// <summary>
    /// This spec as a <c>config.json</c> of the Open Container Initiative (runtime-spec 1.3), for this machine: users are looked up and identity maps chosen. One that was read
    /// with <see cref="FromOci"/> is the document that was read, all of it. A root that is no directory of the host's is to be at <c>rootfs</c> in the bundle.
    /// </summary>
    /// <exception cref="ContainerException">The user is not known, or what is asked for cannot be had here.</exception>
    public OciDocument ToOci() => Oci is { } config ? new(config.Document.GetRawText(), []) : OciExport.Write(LaunchInputs.Gather(this));
}
