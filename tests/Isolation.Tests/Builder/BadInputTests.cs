namespace Isolation.Tests;

/// <summary>What cannot be is refused before anything exists, with the exception that fits and a message that names the value.</summary>
public class BadInputTests
{
    private static readonly string Nul = "a\0b";

    /// <summary>What is done to a builder that is fine otherwise, the exception's type, and what its message must hold.</summary>
    private static readonly (string Name, Func<ContainerBuilder, ContainerBuilder> Mistake, Type Exception, string[] Fragments)[] Cases =
    [
        ("no command", _ => new ContainerBuilder().FromHost(), typeof(InvalidOperationException), ["no command", "WithCommand"]),
        ("command without elements", b => b.WithCommand(), typeof(InvalidOperationException), ["no command", "WithCommand"]),
        ("empty program", b => b.WithCommand("", "x"), typeof(InvalidOperationException), ["command is empty"]),
        ("null argument", b => b.WithCommand("sh", null!), typeof(InvalidOperationException), ["null"]),
        ("null command", b => b.WithCommand((IReadOnlyList<string>)null!), typeof(ArgumentNullException), ["command"]),
        ("NUL in an argument", b => b.WithCommand("sh", Nul), typeof(InvalidOperationException), [@"'a\0b'", "NUL"]),
        ("argument longer than the kernel takes", b => b.WithCommand("sh", "overlong " + new string('x', 131072)), typeof(InvalidOperationException), ["'overlong xxx", "131081", "131071"]),

        ("no root", _ => new ContainerBuilder().WithCommand("sh"), typeof(InvalidOperationException), ["no root", "FromHost", "FromDirectory"]),
        ("root directory that does not exist", b => b.FromDirectory("/nowhere/at/all"), typeof(DirectoryNotFoundException), ["'/nowhere/at/all'"]),
        ("root directory that is a file", b => b.FromDirectory("/etc/passwd"), typeof(ArgumentException), ["'/etc/passwd'", "not a directory"]),
        ("empty root directory", b => b.FromDirectory(""), typeof(ArgumentException), ["path"]),
        ("NUL in the root directory", b => b.FromDirectory("/" + Nul), typeof(ArgumentException), [@"'/a\0b'", "NUL"]),
        ("no such access", b => b.FromDirectory("/", (RootAccess)9), typeof(ArgumentOutOfRangeException), ["access", "9"]),
        ("layer of no size", b => b.FromHost(0), typeof(ArgumentOutOfRangeException), ["0"]),
        ("layer of negative size", b => b.FromDirectory("/", RootAccess.Layered, -5), typeof(ArgumentOutOfRangeException), ["-5"]),
        ("root directory without a mount namespace", b => b.FromDirectory("/").WithMntNs(NamespaceSource.Host), typeof(InvalidOperationException), ["root directory", "host"]),

        ("relative target", b => b.WithBind("/etc", "data"), typeof(ArgumentException), ["'data'", "not absolute"]),
        ("escaping target", b => b.WithTmpfs("/data/../../etc"), typeof(ArgumentException), ["'/data/../../etc'", "'..'"]),
        ("target that is the root", b => b.WithTmpfs("/./"), typeof(ArgumentException), ["'/./'", "FromDirectory"]),
        ("empty target", b => b.WithBind("/etc", ""), typeof(ArgumentException), ["target"]),
        ("empty source", b => b.WithBind("", "/data"), typeof(ArgumentException), ["source"]),
        ("NUL in a source", b => b.WithBind("/" + Nul, "/data"), typeof(ArgumentException), [@"'/a\0b'"]),
        ("NUL in a target", b => b.WithTmpfs("/" + Nul), typeof(ArgumentException), [@"'/a\0b'"]),
        ("target longer than the kernel takes", b => b.WithTmpfs("/" + new string('t', 4095)), typeof(PathTooLongException), ["/ttt", "4095"]),
        ("two mounts at one place", b => b.WithTmpfs("/data").WithBind("/etc", "//data/."), typeof(InvalidOperationException), ["'/data'"]),
        ("relative masked path", b => b.WithMaskedPath("secret"), typeof(ArgumentException), ["'secret'"]),
        ("escaping masked path", b => b.WithMaskedPath("/a/../.."), typeof(ArgumentException), ["'/a/../..'"]),
        ("escaping read-only path", b => b.WithReadOnlyPath("/a/../.."), typeof(ArgumentException), ["'/a/../..'"]),
        ("mount in the host's mount namespace", b => b.WithTmpfs("/data").WithMntNs(NamespaceSource.Host), typeof(InvalidOperationException), ["mount namespace", "host"]),
        ("masked path in a joined mount namespace", b => b.WithMaskedPath("/data").WithMntNs(NamespaceSource.OfProcess(77)), typeof(InvalidOperationException), ["mount namespace", "process 77"]),
        ("shared mount in a new user namespace", b => b.WithBind("/etc", "/data", new() { Propagation = MountPropagation.Shared }), typeof(InvalidOperationException), ["'/data'", "Slave"]),
        ("no such propagation", b => b.WithBind("/etc", "/data", new() { Propagation = (MountPropagation)7 }), typeof(ArgumentOutOfRangeException), ["7"]),

        ("tmpfs of no size", b => b.WithTmpfs("/data", new() { SizeBytes = 0 }), typeof(ArgumentOutOfRangeException), ["0", "at least one byte"]),
        ("tmpfs of negative size", b => b.WithTmpfs("/data", new() { SizeBytes = -1 }), typeof(ArgumentOutOfRangeException), ["-1"]),
        ("tmpfs without inodes", b => b.WithTmpfs("/data", new() { Inodes = 0 }), typeof(ArgumentOutOfRangeException), ["at least one inode"]),
        ("mode that is none", b => b.WithTmpfs("/data", new() { Mode = 0x1000 }), typeof(ArgumentOutOfRangeException), ["4096", "07777"]),
        ("negative /tmp", b => b.WithTmpSize(-1), typeof(ArgumentOutOfRangeException), ["-1"]),
        ("negative /run", b => b.WithRunSize(-2), typeof(ArgumentOutOfRangeException), ["-2"]),
        ("no shared memory", b => b.WithSharedMemorySize(0), typeof(ArgumentOutOfRangeException), ["0"]),

        ("no such /proc", b => b.WithProc((ProcMount)12), typeof(ArgumentOutOfRangeException), ["12"]),
        ("private /proc in the host's pid namespace", b => b.WithProc(ProcMount.Private).WithPidNs(NamespaceSource.Host), typeof(InvalidOperationException), ["private /proc", "pid namespace"]),
        ("no such kind of namespace", b => b.WithNamespace((NamespaceKind)99, null), typeof(ArgumentOutOfRangeException), ["99"]),
        ("relative namespace path", _ => throw Thrown(() => NamespaceSource.FromPath("ns/net")), typeof(ArgumentException), ["'ns/net'", "not absolute"]),
        ("empty namespace path", _ => throw Thrown(() => NamespaceSource.FromPath("")), typeof(ArgumentException), ["path"]),
        ("process 0", _ => throw Thrown(() => NamespaceSource.OfProcess(0)), typeof(ArgumentOutOfRangeException), ["0"]),
        ("no container", _ => throw Thrown(() => NamespaceSource.Of(null!)), typeof(ArgumentNullException), ["container"]),

        ("environment name with '='", b => b.WithEnvironment("A=B", "c"), typeof(ArgumentException), ["'A=B'", "'='"]),
        ("environment name with NUL", b => b.WithEnvironment(Nul, "c"), typeof(ArgumentException), [@"'a\0b'", "NUL"]),
        ("environment name that is empty", b => b.WithEnvironment("", "c"), typeof(ArgumentException), ["name"]),
        ("environment value with NUL", b => b.WithEnvironment("NAME", Nul), typeof(ArgumentException), ["'NAME'", "NUL"]),
        ("environment value that is null", b => b.WithEnvironment("NAME", null!), typeof(ArgumentNullException), ["value"]),
        ("environment variable longer than the kernel takes", b => b.WithEnvironment("LONG", new string('x', 131072)), typeof(InvalidOperationException), ["'LONG'", "131077", "131071"]),

        ("relative working directory", b => b.WithWorkingDirectory("work"), typeof(ArgumentException), ["'work'", "not absolute"]),
        ("NUL in the working directory", b => b.WithWorkingDirectory("/" + Nul), typeof(ArgumentException), [@"'/a\0b'"]),
        ("umask too wide", b => b.WithUmask(0x200), typeof(ArgumentOutOfRangeException), ["512", "0777"]),
        ("negative umask", b => b.WithUmask(-1), typeof(ArgumentOutOfRangeException), ["-1"]),
        ("negative output limit", b => b.WithOutputLimit(-1), typeof(ArgumentOutOfRangeException), ["-1"]),
        ("no such capability", b => b.AddCapability((Capability)64), typeof(ArgumentOutOfRangeException), ["64"]),
        ("negative capability", b => b.DropCapability((Capability)(-1)), typeof(ArgumentOutOfRangeException), ["-1"]),
        ("no logger", b => b.WithLogger(null!), typeof(ArgumentNullException), ["logger"]),

        ("host name that is too long", b => b.WithHostName(new string('h', 65)), typeof(ArgumentException), ["hhh", "64"]),
        ("host name with a space", b => b.WithHostName("two words"), typeof(ArgumentException), ["'two words'"]),
        ("host name with NUL", b => b.WithHostName(Nul), typeof(ArgumentException), ["no host name holds"]),
        ("host name with a slash", b => b.WithHostName("a/b"), typeof(ArgumentException), ["'a/b'"]),
        ("empty host name", b => b.WithHostName(" "), typeof(ArgumentException), ["name"]),
        ("host name in the host's uts namespace", b => b.WithHostName("box").WithUtsNs(NamespaceSource.Host), typeof(InvalidOperationException), ["'box'", "uts"]),
        ("domain name in a joined uts namespace", b => b.WithDomainName("lan").WithUtsNs(NamespaceSource.FromPath("/run/ns/uts")), typeof(InvalidOperationException), ["'lan'", "/run/ns/uts"]),
        ("name server that is a name", b => b.WithDns("dns.example"), typeof(ArgumentException), ["'dns.example'"]),
        ("name server that is null", b => b.WithDns(null!), typeof(ArgumentException), ["address"]),
        ("host entry without an address", b => b.WithHostEntry("db", "nowhere"), typeof(ArgumentException), ["'nowhere'"]),
        ("host entry without a name", b => b.WithHostEntry("a b", "192.0.2.1"), typeof(ArgumentException), ["'a b'"]),

        ("empty user", b => b.WithUser(" "), typeof(ArgumentException), ["text"]),
        ("user with three parts", b => b.WithUser("a:b:c"), typeof(ArgumentException), ["'a:b:c'"]),
        ("user without a group after the colon", b => b.WithUser("a:"), typeof(ArgumentException), ["'a:'"]),
        ("user id that means no change", b => b.WithUser(uint.MaxValue, 0), typeof(ArgumentException), ["4294967295", "4294967294"]),
        ("group id that means no change", b => b.WithUser("0:4294967295"), typeof(ArgumentException), ["4294967295"]),
        ("user id far out of range", b => b.WithUser("99999999999999999999"), typeof(ArgumentException), ["99999999999999999999"]),

        ("range that maps nothing", b => b.WithUserMapping(new IdMapping(0, 1000, 0)), typeof(ArgumentException), ["'0 1000 0'"]),
        ("range that overlaps inside", b => b.WithUserMapping(new(0, 1000, 10), new IdMapping(9, 5000, 1)), typeof(ArgumentException), ["'0 1000 10'", "'9 5000 1'"]),
        ("range that overlaps outside", b => b.WithGroupMapping(new(0, 1000, 10), new IdMapping(100, 1009, 1)), typeof(ArgumentException), ["'0 1000 10'", "'100 1009 1'"]),
        ("range beyond the last id", b => b.WithUserMapping(new IdMapping(4294967295, 0, 1)), typeof(ArgumentException), ["4294967294"]),
        ("range whose end is beyond the last id", b => b.WithUserMapping(new IdMapping(0, 4294967290, 6)), typeof(ArgumentException), ["'0 4294967290 6'"]),
        ("user map without a group map", b => b.WithUserMapping(new IdMapping(0, 1000, 1)), typeof(InvalidOperationException), ["WithGroupMapping"]),
        ("maps and subordinate ids", b => b.WithUserMapping(new IdMapping(0, 1, 1)).WithGroupMapping(new IdMapping(0, 1, 1)).WithSubordinateIds(), typeof(InvalidOperationException), ["WithSubordinateIds"]),
        ("maps in the host's user namespace", b => b.WithUserMapping(new IdMapping(0, 1, 1)).WithGroupMapping(new IdMapping(0, 1, 1)).WithUserNs(NamespaceSource.Host), typeof(InvalidOperationException), ["user namespace", "host"]),
        ("subordinate ids in a joined user namespace", b => b.WithSubordinateIds().WithUserNs(NamespaceSource.OfProcess(5)), typeof(InvalidOperationException), ["process 5"]),
        ("a group's path where systemd wants a slice", b => b.WithCgroupDriver(Cgroups.CgroupDriver.Systemd).WithCgroupParent("/tests"), typeof(ArgumentException), ["'/tests'", "work.slice"]),
        ("a driver of control groups that is none", b => b.WithCgroupDriver((Cgroups.CgroupDriver)7), typeof(ArgumentOutOfRangeException), ["driver"]),
        ("clock offsets in the host's time namespace", b => b.WithTimeOffsets(TimeSpan.FromDays(1), TimeSpan.Zero).WithTimeNs(NamespaceSource.Host), typeof(InvalidOperationException), ["time namespace"]),
    ];

    public static TheoryData<string> Names => [.. Cases.Select(test => test.Name)];

    [Theory, MemberData(nameof(Names))]
    public void Is_refused_with_the_value_in_the_message(string name)
    {
        (_, Func<ContainerBuilder, ContainerBuilder> mistake, Type type, string[] fragments) = Cases.Single(test => test.Name == name);
        Exception exception = Assert.Throws(type, () => mistake(Fine()).Build());
        Assert.All(fragments, fragment => Assert.Contains(fragment, exception.Message, StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain('\0', exception.Message);
    }

    [Fact]
    public void A_builder_without_a_mistake_builds_and_each_case_has_a_name_of_its_own()
    {
        Assert.Equal(["sh"], Fine().Build().Command);
        Assert.Equal(Cases.Length, Cases.DistinctBy(test => test.Name).Count());
    }

    private static ContainerBuilder Fine() => new ContainerBuilder().FromHost().WithCommand("sh");

    private static Exception Thrown(Action action) => Record.Exception(action) ?? new InvalidOperationException("Nothing was thrown.");
}
