using System.Collections.Immutable;
using System.Text.Json;

namespace Isolation;

/// <summary>Where a container of an OCI runtime is in its life (runtime.md, "State").</summary>
public enum OciStatus
{
    /// <summary>It is being made, or whoever made it was killed on the way.</summary>
    Creating,

    /// <summary>It is made, and its program waits to be started.</summary>
    Created,

    /// <summary>Its program runs.</summary>
    Running,

    /// <summary>Its program has ended.</summary>
    Stopped,

    /// <summary>All its processes are stopped in its control group. Not of the specification, and said by every runtime.</summary>
    Paused,
}

/// <summary>The state of a container as the runtime specification has it. Immutable.</summary>
public sealed record OciState
{
    /// <summary>The version of the specification that states are written by.</summary>
    public const string SpecificationVersion = "1.3.0";

    /// <summary>Of the container, unique in its root.</summary>
    public required string Id { get; init; }

    /// <summary>Where it is in its life.</summary>
    public required OciStatus Status { get; init; }

    /// <summary>Its first process as this process numbers it; 0 once that has ended.</summary>
    public required int ProcessId { get; init; }

    /// <summary>The directory of its configuration, an absolute path.</summary>
    public required string Bundle { get; init; }

    /// <summary>Its root directory.</summary>
    public string RootPath { get; init; } = "";

    /// <summary>When it was made.</summary>
    public DateTimeOffset Created { get; init; }

    /// <summary>The user whose container it is: whom the directory of its state belongs to. By the name in <c>/etc/passwd</c>, or where there is none <c>#</c> and the id.</summary>
    public string Owner => HostUser.NameOf(OwnerId);

    internal uint OwnerId { get; init; }

    /// <summary>Those of its configuration.</summary>
    public ImmutableSortedDictionary<string, string> Annotations { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>As hooks get it, and <c>state</c> prints it: state-schema.json, with <c>rootfs</c> and <c>created</c> besides where they are wanted.</summary>
    public string ToJson(bool details = false) => OciJson.Write(writer => Write(writer, details), details);

    private void Write(Utf8JsonWriter writer, bool details)
    {
        writer.WriteStartObject();
        writer.WriteString("ociVersion", SpecificationVersion);
        writer.WriteString("id", Id);
        writer.WriteString("status", Status.ToString().ToLowerInvariant());
        if (Status != OciStatus.Creating || ProcessId != 0) writer.WriteNumber("pid", ProcessId);
        writer.WriteString("bundle", Bundle);
        if (details)
        {
            writer.WriteString("rootfs", RootPath);
            writer.WriteString("created", Created.UtcDateTime.ToString("O", System.Globalization.CultureInfo.InvariantCulture));
            writer.WriteString("owner", Owner);
        }

        if (!Annotations.IsEmpty || details)
        {
            writer.WriteStartObject("annotations");
            foreach ((string key, string value) in Annotations) writer.WriteString(key, value);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }
}
