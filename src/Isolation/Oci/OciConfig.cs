using System.Collections.Immutable;
using System.Text.Json;
using Isolation.Cgroups;
using Isolation.Linux;

namespace Isolation;

/// <summary>A configuration of the Open Container Initiative (runtime-spec 1.3, config.md and config-linux.md), read and checked.</summary>
internal sealed class OciConfig
{
    /// <summary>The document as it was given: what is of no concern here is kept in it.</summary>
    internal required JsonElement Document { get; init; }

    internal required string Version { get; init; }

    /// <summary>The directory that its relative paths are in.</summary>
    internal required string Bundle { get; init; }

    internal required OciHooks Hooks { get; init; }

    internal required ImmutableSortedDictionary<string, string> Annotations { get; init; }

    /// <summary>What the container is; without a program where the configuration has none.</summary>
    internal required ContainerSpec Spec { get; init; }

    /// <summary>Interfaces of the host that it gets, by their names here and there.</summary>
    internal ImmutableArray<(string Name, string NewName)> Links { get; init; } = [];

    /// <summary>Its share of the processor's caches; null where nothing is said of it.</summary>
    internal OciIntelRdt? IntelRdt { get; init; }

    /// <summary>Whether the host has something to do while it is made.</summary>
    internal bool HasStage => Hooks.HasCreation || !Links.IsEmpty || IntelRdt is not null;

    /// <summary>Whether anything of it is still to be done when it is gone, or when it starts.</summary>
    internal bool HasSequel => !Hooks.IsEmpty || IntelRdt is not null;

    internal bool HasProgram => !Spec.Command.IsDefaultOrEmpty;

    internal string? CgroupsPath { get; init; }

    internal ResourceLimits Limits { get; init; } = ResourceLimits.None;

    internal string RootPath => ((DirectoryRoot)Spec.Root!).Path;

    /// <param name="utf8">The document.</param>
    /// <param name="bundle">The directory that its relative paths are in.</param>
    /// <exception cref="FormatException">It is no configuration: the path in it, and why.</exception>
    internal static OciConfig Read(ReadOnlyMemory<byte> utf8, string bundle)
    {
        JsonElement document;
        try
        {
            using JsonDocument parsed = JsonDocument.Parse(utf8);
            document = parsed.RootElement.Clone();
        }
        catch (JsonException exception)
        {
            throw new FormatException($"$: this is no JSON: {exception.Message}", exception);
        }

        return Read(new OciNode(document, "$"), bundle);
    }

    /// <summary>What the host has to do once the namespaces are there.</summary>
    /// <exception cref="OciRuntimeException">A class of service cannot be had, an interface cannot be moved, or a hook failed.</exception>
    internal Task AtStageAsync(OciState state, CancellationToken cancellationToken)
    {
        if (IntelRdt is not null && OciIntelRdt.Root is { } root) IntelRdt.Join(root, state.Id, state.ProcessId);
        OciLinks.Move(Links, state.ProcessId);
        return OciHookRunner.RunCreationAsync(Hooks, state, cancellationToken);
    }

    /// <summary>What is left of it outside of its groups and its directory.</summary>
    internal void Leave(string id)
    {
        if (IntelRdt is not null && OciIntelRdt.Root is { } root) IntelRdt.Leave(root, id);
    }

    private static OciConfig Read(OciNode root, string bundle)
    {
        OciNode versionNode = root.Get("ociVersion");
        string version = versionNode.Text();
        if (version.Split('.', '-', '+') is not ["1", ..] and not ["0", ..]) throw versionNode.Bad($"'{version}' is no version that is known here: 1.0.0 to 1.3");
        foreach (string other in (string[])["windows", "solaris", "zos", "vm", "freebsd"])
            if (root.Find(other) is { } platform && root.Find("linux") is null) throw platform.Bad("this is a configuration for another system than Linux");
        OciNode? linux = root.Find("linux");
        ResourceLimits limits = linux.Find("resources") is { } resources ? OciSections.Resources(resources) : ResourceLimits.None;
        ContainerSpec spec = OciSections.Linux(OciSections.Root(new ContainerSpec { Layout = new() }, root, bundle), root, bundle);
        if (root.Find("process") is { } process) spec = OciProcess.Apply(spec, process);
        return new()
        {
            Document = root.Element,
            Version = version,
            Bundle = bundle,
            Hooks = OciHooks.Read(root.Find("hooks")),
            Links = OciLinks.Read(linux),
            IntelRdt = OciIntelRdt.Read(linux),
            Annotations = root.Find("annotations").Members().ToImmutableSortedDictionary(member => member.Name, member => member.Value.Text(), StringComparer.Ordinal),
            Spec = spec,
            CgroupsPath = linux.Find("cgroupsPath").Text() is { Length: > 0 } path ? path : null,
            Limits = limits,
        };
    }
}
