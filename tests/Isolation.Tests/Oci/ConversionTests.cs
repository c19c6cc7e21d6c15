using System.Text.Json.Nodes;
using Isolation.Cgroups;
using Isolation.Images.Tests;

namespace Isolation.Tests;

/// <summary>Specs as configurations of the Open Container Initiative and back, by its schemas and examples.</summary>
public sealed class ConversionTests
{
    private const string Config = "config-schema.json";

    [Fact]
    public void The_good_examples_are_read_and_nothing_is_lost_and_those_of_other_systems_are_told()
    {
        int read = 0;
        foreach (string file in Directory.GetFiles(JsonSchema.Shared("oci/runtime-examples/config/good")))
        {
            string json = File.ReadAllText(file);
            JsonNode document = JsonNode.Parse(json)!;
            Assert.Empty(JsonSchema.OfShared("runtime-schema").Problems(Config, document));
            string name = Path.GetFileName(file);
            if (name.StartsWith("freebsd", StringComparison.Ordinal) || name.StartsWith("zos", StringComparison.Ordinal))
            {
                Assert.StartsWith("$.", Assert.Throws<FormatException>(() => ContainerSpec.FromOci(json, "/bundle")).Message, StringComparison.Ordinal);
                continue;
            }

            if (document["root"] is null)
            {
                Assert.StartsWith("$", Assert.Throws<FormatException>(() => ContainerSpec.FromOci(json, "/bundle")).Message, StringComparison.Ordinal);
                continue;
            }

            OciDocument back = ContainerSpec.FromOci(json, "/bundle").ToOci();
            Assert.True(JsonNode.DeepEquals(document, JsonNode.Parse(back.Json)), name);
            Assert.Empty(back.Omitted);
            read++;
        }

        Assert.True(read >= 3, $"{read} were read");
    }

    [Fact]
    public void The_bad_examples_are_refused()
    {
        foreach (string file in Directory.GetFiles(JsonSchema.Shared("oci/runtime-examples/config/bad")))
            Assert.StartsWith("$", Assert.Throws<FormatException>(() => ContainerSpec.FromOci(File.ReadAllText(file), "/bundle")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_commands_print_is_valid()
    {
        JsonSchema schema = JsonSchema.OfShared("runtime-schema");
        Assert.Empty(schema.Problems(Config, JsonNode.Parse(OciFeatures.ExampleConfig())));
        Assert.Empty(schema.Problems(Config, JsonNode.Parse(OciFeatures.ExampleConfig(rootless: true))));
        Assert.Empty(schema.Problems("features-schema.json", JsonNode.Parse(OciFeatures.ToJson())));
        OciState state = new() { Id = "one", Status = OciStatus.Running, ProcessId = 5, Bundle = "/bundle", RootPath = "/bundle/rootfs" };
        Assert.Empty(schema.Problems("state-schema.json", JsonNode.Parse(state.ToJson())));
        Assert.Empty(schema.Problems("state-schema.json", JsonNode.Parse(state.ToJson(details: true))));
        Assert.NotEmpty(schema.Problems("state-schema.json", JsonNode.Parse(state.ToJson().Replace("running", "walking", StringComparison.Ordinal))));
    }

    [Theory]
    [MemberData(nameof(Specs))]
    public void What_is_built_becomes_a_valid_configuration_that_says_the_same(string name)
    {
        ContainerSpec spec = Made[name]();
        OciDocument document = spec.ToOci();
        JsonNode json = JsonNode.Parse(document.Json)!;
        Assert.Empty(JsonSchema.OfShared("runtime-schema").Problems(Config, json));
        ContainerSpec back = ContainerSpec.FromOci(document.Json, "/bundle");
        Assert.Equal(spec.Command, back.Command);
        Assert.Equal(spec.WorkingDirectory, back.WorkingDirectory);
        Assert.Equal(spec.Environment.SetItem("HOME", back.Environment["HOME"]), back.Environment);
        Assert.Equal(spec.NoNewPrivileges, back.NoNewPrivileges);
        Assert.Equal(spec.ResourceLimits, back.ResourceLimits);
        Assert.Equal(spec.Sysctls, back.Sysctls);
        Assert.Equal(spec.Umask, back.Umask);
        Assert.Equal((spec.BootTimeOffset, spec.MonotonicTimeOffset), (back.BootTimeOffset, back.MonotonicTimeOffset));
        Assert.Equal((spec.Limits with { Devices = [] }).ToOciJson(), (back.Limits with { Devices = [] }).ToOciJson());
        for (NamespaceKind kind = NamespaceKind.User; kind <= NamespaceKind.Time; kind++) Assert.Equal(spec.Namespaces.IsNew(kind), back.Namespaces.IsNew(kind));
        Assert.True(JsonNode.DeepEquals(json, JsonNode.Parse(back.ToOci().Json)));
    }

    [Fact]
    public void A_filter_says_the_same_as_before_of_every_call()
    {
        foreach (CapabilitySet capabilities in (CapabilitySet[])[CapabilitySet.Default, CapabilitySet.None, CapabilitySet.All])
        {
            SeccompPolicy policy = SeccompPolicy.Default, back = SeccompPolicy.FromJson(SeccompExport.Write(policy, capabilities).ToJsonString());
            ulong[][] arguments = [[0, 0, 0, 0, 0, 0], [0x7e020000, 0, 0, 0, 0, 0], [40, 0, 0, 0, 0, 0], [0x10000000, 0, 0, 0, 0, 0], [8, 0, 0x20008, 0, 0, 0], [0xffffffff, 1, 2, 3, 4, 5]];
            foreach (string call in SystemCallTable.Names)
                foreach (ulong[] values in arguments)
                    Assert.True(policy.Decide(call, values, capabilities) == back.Decide(call, values, capabilities), $"{call}({string.Join(", ", values)})");
        }
    }

    [Fact]
    public void What_no_field_can_say_is_told()
    {
        OciDocument document = new ContainerBuilder().FromHost().WithCommand("true").WithInit().WithLandlock(new LandlockPolicy()).Build().ToOci();
        Assert.Contains(document.Omitted, line => line.StartsWith("the root file system", StringComparison.Ordinal));
        Assert.Contains(document.Omitted, line => line.StartsWith("the init", StringComparison.Ordinal));
        Assert.Contains("the Landlock policy", document.Omitted);
    }

    public static TheoryData<string> Specs => [.. Made.Keys];

    private static Dictionary<string, Func<ContainerSpec>> Made { get; } = new()
    {
        ["plain"] = () => new ContainerBuilder().FromHost().WithCommand("/bin/true", "an argument", "").Build(),
        ["a directory"] = () => new ContainerBuilder().FromDirectory("/", RootAccess.ReadOnly).WithCommand("true").WithHostName("box").WithWorkingDirectory("/tmp").WithEnvironment("A", "=b").Build(),
        ["settings"] = () => new ContainerBuilder().FromHost().WithCommand("true").WithUmask(0x3F).WithResourceLimit(ResourceLimitKind.OpenFiles, 100, 200).WithSysctl("net.ipv4.ip_forward", "1").WithNice(3).WithOomScoreAdjustment(100).WithScheduling(SchedulingPolicy.Batch).WithIoPriority(IoPriorityClass.BestEffort, 3).Build(),
        ["limits"] = () => new ContainerBuilder().FromHost().WithCommand("true").WithMemoryLimit(64 << 20).WithPidsLimit(50).WithCpuLimit(0.5).Build(),
        ["mounts"] = () => new ContainerBuilder().FromHost().WithCommand("true").WithBind("/usr", "/x", new() { ReadOnly = true, Propagation = MountPropagation.Slave }).WithTmpfs("/y", new() { SizeBytes = 1 << 20, Inodes = 10, ReadOnly = true, AllowExecution = false }).WithProcOptions(new() { Hidden = HiddenProcesses.Invisible }).WithMaskedPath("/etc/shadow").WithReadOnlyPath("/etc").Build(),
        ["clocks"] = () => new ContainerBuilder().FromHost().WithCommand("true").WithTimeOffsets(TimeSpan.FromSeconds(-1.5), TimeSpan.FromDays(2)).Build(),
        ["shared"] = () => new ContainerBuilder().FromHost().WithCommand("true").WithNetNs(NamespaceSource.Host).WithPidNs(NamespaceSource.Host).WithIpcNs(NamespaceSource.Host).Build(),
        ["strict"] = () => new ContainerBuilder().FromHost().WithCommand("true").WithSecurity(SecurityProfile.Strict).Build(),
        ["privileged"] = () => new ContainerBuilder().FromHost().WithCommand("true").WithSecurity(SecurityProfile.Privileged).Build(),
        ["a terminal"] = () => new ContainerBuilder().FromHost().WithCommand("true").WithTerminal(80, 25).Build(),
    };
}
