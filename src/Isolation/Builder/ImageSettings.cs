using System.Collections.Immutable;
using Isolation.Images;

namespace Isolation;

/// <summary>What an image says of how it is run (OCI image-spec 1.1, config.md, "Conversion to a runtime configuration"), where no call has said it.</summary>
internal static class ImageSettings
{
    internal static ContainerSpec Apply(ContainerSpec draft, UnpackedImage unpacked, RootAccess access, long layerSize)
    {
        ProgramConfig config = unpacked.Image.Config.Config ?? new();
        string name = unpacked.Image.ToString();
        return draft with
        {
            Image = unpacked.Image,
            Layers = unpacked,
            Root = new LayersRoot([.. unpacked.Layers], access) { LayerSize = layerSize },
            Command = Command(draft, config),
            Environment = Environment(draft, config),
            User = draft.User ?? User(config, name),
            WorkingDirectory = draft.Given.HasFlag(GivenSettings.WorkingDirectory) ? draft.WorkingDirectory : WorkingDirectory(config, name),
            Mounts = [.. draft.Mounts, .. Volumes(draft, config, name)],
            StopSignal = draft.Given.HasFlag(GivenSettings.StopSignal) ? draft.StopSignal : StopSignal(config, name) ?? draft.StopSignal,
        };
    }

    /// <summary>The entrypoint and what it is given. One that a call gives takes the image's command away with its entrypoint, as docker(1) has it.</summary>
    private static ImmutableArray<string> Command(ContainerSpec draft, ProgramConfig config)
    {
        ImmutableArray<string> entrypoint = draft.Entrypoint ?? config.Entrypoint ?? [];
        ImmutableArray<string> command = !draft.Command.IsEmpty ? draft.Command : draft.Entrypoint is null ? config.Command ?? [] : [];
        return [.. entrypoint, .. command];
    }

    private static ImmutableSortedDictionary<string, string> Environment(ContainerSpec draft, ProgramConfig config)
    {
        ImmutableSortedDictionary<string, string>.Builder environment = draft.Environment.ToBuilder();
        foreach (string variable in config.Environment ?? [])
        {
            int equals = variable.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0 || variable.Contains('\0', StringComparison.Ordinal)) continue; // no variable: execve(2) could not say it either
            if (!draft.GivenVariables.Contains(variable[..equals])) environment[variable[..equals]] = variable[(equals + 1)..];
        }

        return environment.ToImmutable();
    }

    private static IEnumerable<MountSpec> Volumes(ContainerSpec draft, ProgramConfig config, string image)
    {
        int number = draft.Mounts.Length;
        foreach (string volume in config.Volumes?.Keys ?? [])
        {
            string target;
            try
            {
                target = PathText.Target(volume, nameof(config));
            }
            catch (Exception exception) when (exception is ArgumentException or PathTooLongException)
            {
                throw Wrong(image, "volume", volume, "WithVolume", exception);
            }

            if (!draft.Mounts.Any(mount => mount.Target == target)) yield return new VolumeMount(null, number++, target);
        }
    }

    private static UserSpec? User(ProgramConfig config, string image)
    {
        if (string.IsNullOrEmpty(config.User)) return null;
        try
        {
            return UserSpec.Parse(config.User);
        }
        catch (ArgumentException exception)
        {
            throw Wrong(image, "user", config.User, "WithUser", exception);
        }
    }

    private static string WorkingDirectory(ProgramConfig config, string image)
    {
        if (string.IsNullOrEmpty(config.WorkingDirectory)) return "/";
        try
        {
            return PathText.Absolute(config.WorkingDirectory, nameof(config));
        }
        catch (Exception exception) when (exception is ArgumentException or PathTooLongException)
        {
            throw Wrong(image, "working directory", config.WorkingDirectory, "WithWorkingDirectory", exception);
        }
    }

    private static int? StopSignal(ProgramConfig config, string image)
    {
        if (string.IsNullOrEmpty(config.StopSignal)) return null;
        return SignalName.Number(config.StopSignal) ?? throw Wrong(image, "stop signal", config.StopSignal, "WithStopSignal", null);
    }

    private static InvalidOperationException Wrong(string image, string what, string value, string call, Exception? cause) =>
        new($"The image {image} names the {what} '{value}', which is none: say another with {call}.", cause);
}
