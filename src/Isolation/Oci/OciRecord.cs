using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Isolation.Linux;

namespace Isolation;

/// <summary>What is kept of a container between two commands: <c>state.json</c> in its directory. Written whole, under another name first.</summary>
internal sealed record OciRecord
{
    internal const string FileName = "state.json", ConfigName = "config.json", GateName = "start";
    private const int Format = 1;

    internal required string Id { get; init; }

    internal required string Bundle { get; init; }

    internal required string RootPath { get; init; }

    internal required DateTimeOffset Created { get; init; }

    /// <summary>Its first process and when that was started (proc_pid_stat(5)): only the two together name it. 0 before it is there.</summary>
    internal int ProcessId { get; init; }

    internal ulong StartTime { get; init; }

    /// <summary>Which machine's boot the process is of.</summary>
    internal string Boot { get; init; } = "";

    /// <summary>Of its control group, one in each hierarchy.</summary>
    internal ImmutableArray<string> Groups { get; init; } = [];

    /// <summary>Whether the commands after it read its configuration again: for hooks, or for what is to be removed in the end.</summary>
    internal bool HasSequel { get; init; }

    internal ImmutableSortedDictionary<string, string> Annotations { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    internal void Save(string directory)
    {
        string text = OciJson.Write(writer =>
        {
            writer.WriteStartObject();
            writer.WriteNumber("format", Format);
            writer.WriteString("id", Id);
            writer.WriteString("bundle", Bundle);
            writer.WriteString("rootfs", RootPath);
            writer.WriteString("created", Created.UtcDateTime.ToString("O", CultureInfo.InvariantCulture));
            writer.WriteNumber("pid", ProcessId);
            writer.WriteNumber("startTime", StartTime);
            writer.WriteString("boot", Boot);
            writer.WriteBoolean("sequel", HasSequel);
            writer.WriteStartArray("groups");
            foreach (string group in Groups) writer.WriteStringValue(group);
            writer.WriteEndArray();
            writer.WriteStartObject("annotations");
            foreach ((string key, string value) in Annotations) writer.WriteString(key, value);
            writer.WriteEndObject();
            writer.WriteEndObject();
        });
        WholeFile.Replace(Path.Join(directory, FileName), text);
    }

    /// <returns>Null where there is none: its maker was killed before it wrote one.</returns>
    /// <exception cref="OciRuntimeException">It is damaged, or of a later version.</exception>
    internal static OciRecord? Load(string directory)
    {
        string path = Path.Join(directory, FileName);
        try
        {
            OciNode root = new(JsonDocument.Parse(File.ReadAllBytes(path)).RootElement, "$");
            long format = root.Get("format").Number();
            if (format != Format) throw new OciRuntimeException($"The state '{path}' is of a later version ({format}) than this runtime knows ({Format}): use that version, or remove the directory once its processes have ended");
            return new()
            {
                Id = root.Get("id").Text(), Bundle = root.Get("bundle").Text(), RootPath = root.Get("rootfs").Text(),
                Created = DateTimeOffset.Parse(root.Get("created").Text(), CultureInfo.InvariantCulture),
                ProcessId = (int)root.Get("pid").Number(0, int.MaxValue), StartTime = root.Get("startTime").Unsigned(), Boot = root.Get("boot").Text(),
                HasSequel = root.Find("sequel") is not { } sequel || sequel.Flag(),
                Groups = [.. root.Get("groups").Texts()],
                Annotations = root.Get("annotations").Members().ToImmutableSortedDictionary(member => member.Name, member => member.Value.Text(), StringComparer.Ordinal),
            };
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception exception) when (exception is FormatException or JsonException)
        {
            throw new OciRuntimeException($"The state '{path}' is damaged: {exception.Message}", exception);
        }
    }

    /// <summary>The process, where it is still there, an ended one that nobody has reaped not counted.</summary>
    internal PidDescriptor? OpenProcess()
    {
        if (ProcessId == 0 || Boot != HostScope.Current.Boot) return null;
        PidDescriptor? process = ProcessStartTime.Open(ProcessId, StartTime);
        if (process is null || !IsZombie(ProcessId)) return process;
        process.Dispose();
        return null;
    }

    private static bool IsZombie(int processId)
    {
        string stat = SmallFile.ReadText(string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/stat"));
        return stat.Length == 0 || stat[(stat.LastIndexOf(')') + 2)..] is ['Z' or 'X', ..];
    }
}
