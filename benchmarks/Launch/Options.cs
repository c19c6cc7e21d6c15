using System.Globalization;

namespace Isolation.Benchmarks;

/// <summary>What the command line asks for.</summary>
internal sealed record Options(string Mode)
{
    internal const string Usage = """
        Usage: Isolation.Benchmarks MODE [options]

          peers         start-to-exit of /bin/true beside Process.Start, unshare, bwrap, crun and runc
          exec          a further /bin/true in a running container beside nsenter, crun, runc and docker exec
          output        the first byte of output, and its throughput, beside a plain Process pipe
          limits        what a control group costs, beside bare system calls, crun and runc
          images        Debian unpacked beside tar, umoci, podman and docker (needs mmdebstrap)
          registry      Debian pulled and pushed beside skopeo, umoci, podman and docker (needs docker-registry)
          image-use     containers of an image, commits beside podman and docker, unions of many layers
          decompression the decompressors and digests alone, over a layer of it
          crowd         1,000 containers at once; the end of one with 1,000 processes
          heap          the same launch from a process with 2 GiB of live heap and from a small one
          allocations   managed bytes a launch, and of which types
          inflight      200 launches in flight at once
          threads       launches a second from 1, 2 and 4 callers
          parts         what each namespace and each mount costs, by leaving it out
          trace         how long each step of the plan takes, from inside the child
          bdn           pure work under BenchmarkDotNet: spec, plan, image, mountinfo
          all           every mode, one after the other; several are given with commas

          --rounds N      measured rounds (each mode has its own default)
          --warmup N      rounds before that which do not count
          --only TEXT     peers, parts, images: the entries whose name contains TEXT, and the baseline
                          image-use: start, commit or union; registry: pull, memory, again, far or push
          --spec NAME     trace: headline (the default), default or host
          --heap-mib N    heap: live heap of the large process, 2048 by default
          --out FILE      writes the report to FILE as well, as Markdown
        """;

    internal int? Rounds { get; private init; }

    internal int? Warmup { get; private init; }

    internal string? Only { get; private init; }

    internal string Spec { get; private init; } = "headline";

    internal int HeapMebibytes { get; private init; } = 2048;

    internal string? Out { get; private init; }

    /// <summary>As it was typed.</summary>
    internal string Line { get; private init; } = "";

    /// <exception cref="ArgumentException">An option is unknown or has no value.</exception>
    internal static Options Parse(string[] arguments)
    {
        if (arguments.Length == 0) throw new ArgumentException("A mode is missing.");
        Options options = new(arguments[0]) { Line = string.Join(' ', arguments) };
        for (int i = 1; i < arguments.Length; i += 2)
        {
            string name = arguments[i];
            string value = i + 1 < arguments.Length ? arguments[i + 1] : throw new ArgumentException($"{name} needs a value.");
            options = name switch
            {
                "--rounds" => options with { Rounds = Number(name, value) },
                "--warmup" => options with { Warmup = Number(name, value) },
                "--only" => options with { Only = value },
                "--spec" => options with { Spec = value },
                "--heap-mib" => options with { HeapMebibytes = Number(name, value) },
                "--out" => options with { Out = value },
                _ => throw new ArgumentException($"Unknown option {name}."),
            };
        }

        return options;
    }

    private static int Number(string name, string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0
            ? number
            : throw new ArgumentException($"{name} takes a number above 0, not '{value}'.");
}
