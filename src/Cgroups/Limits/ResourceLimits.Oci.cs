using System.Text;

namespace Isolation.Cgroups;

public sealed partial record ResourceLimits
{
    /// <summary>
    /// The object <c>linux.resources</c> of an OCI runtime-spec configuration (1.3, config-linux.md, "Control groups"). Its
    /// -1 becomes <see cref="Unlimited"/>; a <c>blockIO.weight</c> becomes the <see cref="IoWeight"/> that the scheduler bfq
    /// takes as the same number.
    /// </summary>
    /// <param name="json">The object as UTF-8.</param>
    /// <exception cref="FormatException">It is no such object, has a field that the specification does not know, or a value that no limit can have; the message names the field.</exception>
    /// <exception cref="CgroupException">It says something that there is no limit for (NotSupported); the message names the field.</exception>
    public static ResourceLimits FromOciJson(ReadOnlySpan<byte> json) => OciToLimits.Translate(OciResourcesJson.Read(json.ToArray()));

    /// <inheritdoc cref="FromOciJson(ReadOnlySpan{byte})"/>
    /// <param name="json">The object.</param>
    public static ResourceLimits FromOciJson(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        return OciToLimits.Translate(OciResourcesJson.Read(Encoding.UTF8.GetBytes(json)));
    }

    /// <summary>The same for a runtime, which ignores fields that it does not know (config.md, "Extensibility").</summary>
    internal static ResourceLimits FromOciOfRuntime(string json) => OciToLimits.Translate(OciResourcesJson.Read(Encoding.UTF8.GetBytes(json)), tolerant: true);

    /// <summary>These limits as the object <c>linux.resources</c> of an OCI runtime-spec configuration.</summary>
    /// <exception cref="ArgumentException">A limit is out of range.</exception>
    /// <exception cref="CgroupException">One has no field there (NotSupported); the message names it.</exception>
    public string ToOciJson() => Encoding.UTF8.GetString(OciResourcesJson.ToUtf8(LimitsToOci.Translate(this)));
}
