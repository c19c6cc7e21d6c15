using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Isolation.Cgroups.Tests;

public sealed class OciResourcesTests
{
    /// <summary>Every field of the specification, each list with an entry.</summary>
    private const string Full = """
        {
          "devices": [ { "allow": false, "access": "rwm" }, { "allow": true, "type": "c", "major": 10, "minor": 229, "access": "rw" } ],
          "memory": {
            "limit": 536870912, "reservation": 268435456, "swap": -1, "kernel": -1, "kernelTCP": 9223372036854775807, "swappiness": 0,
            "disableOOMKiller": false, "useHierarchy": true, "checkBeforeUpdate": true
          },
          "cpu": {
            "shares": 1024, "quota": -1, "burst": 18446744073709551615, "period": 500000, "realtimeRuntime": 950000, "realtimePeriod": 1000000,
            "cpus": "2-3", "mems": "0-7", "idle": 1
          },
          "pids": { "limit": -1 },
          "blockIO": {
            "weight": 10, "leafWeight": 65535,
            "weightDevice": [ { "major": 8, "minor": 0, "weight": 500, "leafWeight": 300 }, { "major": 8, "minor": 16, "weight": 500 } ],
            "throttleReadBpsDevice": [ { "major": 8, "minor": 0, "rate": 600 } ],
            "throttleWriteBpsDevice": [ { "major": 8, "minor": 1, "rate": 0 } ],
            "throttleReadIOPSDevice": [ { "major": 8, "minor": 2, "rate": 18446744073709551615 } ],
            "throttleWriteIOPSDevice": [ { "major": 8, "minor": 16, "rate": 300 } ]
          },
          "hugepageLimits": [ { "pageSize": "2MB", "limit": 18446744073709551615 }, { "pageSize": "64KB", "limit": 1000000 } ],
          "network": { "classID": 4294967295, "priorities": [ { "name": "eth0", "priority": 500 } ] },
          "rdma": { "mlx5_1": { "hcaHandles": 3, "hcaObjects": 10000 }, "rxe3": { "hcaObjects": 4294967295 } },
          "unified": { "io.max": "259:0 rbps=2097152 wiops=120\n253:0 rbps=2097152 wiops=120", "hugetlb.1GB.max": "1073741824" }
        }
        """;

    [Fact]
    public void Every_field_is_read_and_written_again()
    {
        OciResources resources = Read(Full);
        Assert.Empty(OciUnknownFields.Of(resources));
        AssertSame(Full, resources);
        using var document = JsonDocument.Parse(Full);
        AssertSame(Full, OciResourcesReader.Read(document.RootElement));
    }

    [Fact]
    public void Unlimited_is_not_the_same_as_not_said()
    {
        OciResources resources = Read("""{ "memory": { "limit": -1 }, "pids": { "limit": 0 } }""");
        Assert.Equal(-1, resources.Memory!.Limit);
        Assert.Null(resources.Memory.Swap);
        Assert.Equal(0, resources.Pids!.Limit);
        Assert.Null(resources.Cpu);
        AssertSame("""{ "memory": { "limit": -1 }, "pids": { "limit": 0 } }""", resources);
    }

    [Fact]
    public void An_empty_object_and_nulls_say_nothing()
    {
        AssertSame("{}", Read("{}"));
        AssertSame("""{ "cpu": {} }""", Read("""{ "memory": null, "devices": null, "cpu": { "shares": null, "cpus": null } }"""));
    }

    [Fact]
    public void A_field_that_is_not_of_the_specification_is_kept_and_named()
    {
        const string json = """
            {
              "oomScoreAdj": 100,
              "devices": [ { "allow": true, "access": "r" }, { "allow": true, "access": "r", "kind": [1, null] } ],
              "Memory": { "limit": 1 },
              "memory": { "limits": 5 },
              "cpu": { "uclamp": { "min": 3 } },
              "pids": { "limit": 1, "x": 1 },
              "blockIO": { "a": 1, "weightDevice": [ { "major": 1, "minor": 1, "weight": 1, "b": 1 } ], "throttleWriteIOPSDevice": [ { "major": 1, "minor": 1, "rate": 1, "c": "d" } ] },
              "hugepageLimits": [ { "pageSize": "2MB", "limit": 1, "reserved": true } ],
              "network": { "y": 1, "priorities": [ { "name": "e", "priority": 1, "z": 1 } ] },
              "rdma": { "mlx": { "hcaHandles": 1, "hcaQueues": 2 } }
            }
            """;
        OciResources resources = Read(json);
        AssertSame(json, resources);
        Assert.Equal(
            [
                "oomScoreAdj", "Memory", "devices[1].kind", "memory.limits", "cpu.uclamp", "pids.x", "hugepageLimits[0].reserved", "network.y",
                "network.priorities[0].z", "rdma.mlx.hcaQueues", "blockIO.a", "blockIO.weightDevice[0].b", "blockIO.throttleWriteIOPSDevice[0].c",
            ],
            OciUnknownFields.Of(resources));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("{} {}")]
    [InlineData("""{ "memory": [] }""")]
    [InlineData("""{ "memory": { "limit": "64m" } }""")]
    [InlineData("""{ "memory": { "limit": 1.5 } }""")]
    [InlineData("""{ "memory": { "limit": 9223372036854775808 } }""")]
    [InlineData("""{ "memory": { "limit": 1, "limit": 2 } }""")]
    [InlineData("""{ "memory": { "limit": 1 }, "memory": { "limit": 2 } }""")]
    [InlineData("""{ "cpu": { "shares": -1 } }""")]
    [InlineData("""{ "cpu": { "cpus": 3 } }""")]
    [InlineData("""{ "blockIO": { "weight": 65536 } }""")]
    [InlineData("""{ "blockIO": { "weight": -1 } }""")]
    [InlineData("""{ "blockIO": { "weightDevice": [ { "major": 8, "minor": 0 } ] } }""")]
    [InlineData("""{ "blockIO": { "throttleReadBpsDevice": [ { "major": 8, "rate": 1 } ] } }""")]
    [InlineData("""{ "blockIO": { "throttleReadBpsDevice": [ null ] } }""")]
    [InlineData("""{ "pids": {} }""")]
    [InlineData("""{ "pids": { "limit": null } }""")]
    [InlineData("""{ "devices": [ { "access": "rwm" } ] }""")]
    [InlineData("""{ "devices": [ null ] }""")]
    [InlineData("""{ "devices": {} }""")]
    [InlineData("""{ "hugepageLimits": [ { "pageSize": null, "limit": 1 } ] }""")]
    [InlineData("""{ "hugepageLimits": [ { "limit": 1 } ] }""")]
    [InlineData("""{ "network": { "classID": 4294967296 } }""")]
    [InlineData("""{ "network": { "priorities": [ { "name": "eth0" } ] } }""")]
    [InlineData("""{ "rdma": { "mlx": {} } }""")]
    [InlineData("""{ "rdma": { "mlx": null } }""")]
    [InlineData("""{ "unified": { "memory.max": 1 } }""")]
    [InlineData("""{ "unified": { "memory.max": null } }""")]
    public void What_the_specification_does_not_allow_is_refused(string json)
    {
        var refusal = Assert.Throws<FormatException>(() => Read(json));
        Assert.StartsWith("linux.resources", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Devices_become_rules_and_back()
    {
        OciResources resources = Read("""
            { "devices": [ { "allow": false, "access": "rwm" }, { "allow": true, "type": "c", "major": 10, "minor": 229, "access": "rw" },
              { "allow": true, "type": "b", "major": 8, "minor": -1, "access": "mr" }, { "allow": true, "type": "", "access": "r" } ] }
            """);
        List<DeviceRule> rules = OciDevices.ToRules(resources.Devices!);
        Assert.Equal([DeviceRule.Deny("a"), DeviceRule.Allow("c 10:229 rw"), DeviceRule.Allow("b 8:* rm"), DeviceRule.Allow("a *:* r")], rules);
        Assert.Equal(rules, OciDevices.ToRules(OciDevices.FromRules(rules)));
        AssertSame("""{ "devices": [ { "allow": true, "type": "b", "major": 8, "access": "rm" } ] }""", new OciResources { Devices = OciDevices.FromRules(rules[2..3]) });
    }

    [Theory]
    [InlineData("""{ "allow": true, "type": "p", "access": "r" }""", "type")]
    [InlineData("""{ "allow": true, "type": "c" }""", "access")]
    [InlineData("""{ "allow": true, "access": "rx" }""", "access")]
    [InlineData("""{ "allow": true, "access": "" }""", "access")]
    [InlineData("""{ "allow": true, "major": 4096, "access": "r" }""", "major")]
    [InlineData("""{ "allow": true, "minor": -2, "access": "r" }""", "minor")]
    [InlineData("""{ "allow": true, "minor": 4294967296, "access": "r" }""", "minor")]
    public void A_device_that_cannot_be_is_refused(string entry, string field)
    {
        OciResources resources = Read($$"""{ "devices": [ { "allow": true, "access": "r" }, {{entry}} ] }""");
        var refusal = Assert.Throws<FormatException>(() => OciDevices.ToRules(resources.Devices!));
        Assert.Contains($"devices[1].{field}", refusal.Message, StringComparison.Ordinal);
    }

    private static OciResources Read(string json) => OciResourcesJson.Read(Encoding.UTF8.GetBytes(json));

    private static void AssertSame(string json, OciResources resources)
    {
        string written = Encoding.UTF8.GetString(OciResourcesJson.ToUtf8(resources));
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(json), JsonNode.Parse(written)), written);
    }
}
