using System.Reflection;
using System.Runtime.InteropServices;

namespace Isolation.Linux.Tests;

/// <summary>Numbers, constants and layouts against the C headers of both architectures.</summary>
public class CHeaderTests
{
    public static TheoryData<Architecture> Targets => [Architecture.X64, Architecture.Arm64];

    [Theory, MemberData(nameof(Targets))]
    public void Constants_are_those_of_the_headers(Architecture target)
    {
        var proof = new CHeaderProof(target);
        var constants = Constants();
        foreach (var constant in constants)
            proof.Constant(constant.Name, constant.GetRawConstantValue()!, CHeaderProof.MayBeAbsent.Contains(constant.Name));
        Assert.InRange(proof.Claims, 150, int.MaxValue);
        // No name is excused that is not there (any more).
        Assert.Equal([], CHeaderProof.MayBeAbsent.Except(constants.Select(c => c.Name)));
        Assert.Equal([], proof.Objections());
    }

    [Theory, MemberData(nameof(Targets))]
    public void Open_flags_that_differ_are_those_of_the_architecture(Architecture target)
    {
        var abi = target == Architecture.X64 ? TargetAbi.X64 : TargetAbi.Arm64;
        var proof = new CHeaderProof(target);
        proof.Constant("O_DIRECTORY", abi.O_DIRECTORY);
        proof.Constant("O_NOFOLLOW", abi.O_NOFOLLOW);
        Assert.Equal([], proof.Objections());
    }

    [Theory, MemberData(nameof(Targets))]
    public void System_calls_have_the_numbers_of_the_architecture(Architecture target)
    {
        var abi = target == Architecture.X64 ? TargetAbi.X64 : TargetAbi.Arm64;
        var proof = new CHeaderProof(target);
        foreach (var call in Enum.GetValues<SystemCall>()) proof.Constant($"__NR_{call}", abi.Number(call));
        Assert.InRange(proof.Claims, 140, int.MaxValue);
        Assert.Equal([], proof.Objections());
    }

    [Theory, MemberData(nameof(Targets))]
    public void Error_numbers_are_those_of_the_headers(Architecture target)
    {
        var proof = new CHeaderProof(target);
        foreach (var errno in Enum.GetValues<Errno>().Where(e => e != Errno.None)) proof.Constant(errno.ToString(), (int)errno);
        Assert.Equal(131, proof.Claims);
        Assert.Equal([], proof.Objections());
    }

    [Theory, MemberData(nameof(Targets))]
    public void Structs_are_laid_out_as_in_C(Architecture target)
    {
        var proof = new CHeaderProof(target);
        var structs = NativeStructs();
        foreach (var type in structs)
        {
            if (type == typeof(bpf_prog_info)) proof.Part(type, "struct bpf_prog_info");
            else if (UnionArms.TryGetValue(type, out var arm)) proof.Part(type, "union bpf_attr", arm);
            else if (CName(type, target) is { } name) proof.Struct(type, name);
        }
        Assert.Contains(typeof(clone_args), structs);
        Assert.InRange(proof.Claims, 180, int.MaxValue);
        Assert.Equal([], proof.Objections());
    }

    [Fact]
    public void The_proof_shows_a_wrong_value_a_wrong_name_and_a_wrong_layout()
    {
        var proof = new CHeaderProof(RuntimeInformation.ProcessArchitecture);
        proof.Constant("O_CREAT", 0x41);
        proof.Constant("O_CRAET", 0x40);
        proof.Constant("EPOLLET", 0x80000000); // right, and unsigned on both sides
        proof.Struct(typeof(epoll_event_x64), "struct pollfd");
        string all = string.Join('\n', proof.Objections());
        Assert.Contains("O_CREAT is 65 here", all, StringComparison.Ordinal);
        Assert.Contains("'O_CRAET' undeclared", all, StringComparison.Ordinal);
        Assert.DoesNotContain("EPOLLET", all, StringComparison.Ordinal);
        Assert.Contains("sizeof epoll_event_x64 is 12 here", all, StringComparison.Ordinal);
        Assert.Contains("no member named 'data'", all, StringComparison.Ordinal);
    }

    private static readonly Dictionary<Type, string> UnionArms = new()
    {
        [typeof(bpf_attr_load)] = "",
        [typeof(bpf_attr_attach)] = "",
        [typeof(bpf_attr_query)] = "query.",
        [typeof(bpf_attr_id)] = "",
        [typeof(bpf_attr_info)] = "info.",
    };

    private static FieldInfo[] Constants() =>
        [.. typeof(Linux.Abi).GetFields(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public).Where(f => f.IsLiteral)];

    /// <summary>Those with the kernel's names, which begin in lower case or with two underscores; ours do not.</summary>
    private static Type[] NativeStructs() =>
        [.. typeof(Linux.Abi).Assembly.GetTypes().Where(t =>
            t is { IsValueType: true, IsEnum: false, IsNested: false, Namespace: "Isolation.Linux" } && (char.IsLower(t.Name[0]) || t.Name.StartsWith("__", StringComparison.Ordinal)))];

    private static string? CName(Type type, Architecture target)
    {
        if (type == typeof(siginfo)) return "siginfo_t";
        if (type == typeof(epoll_event_x64)) return target == Architecture.X64 ? "struct epoll_event" : null;
        if (type == typeof(epoll_event)) return target == Architecture.Arm64 ? "struct epoll_event" : null;
        return $"struct {type.Name}";
    }
}
