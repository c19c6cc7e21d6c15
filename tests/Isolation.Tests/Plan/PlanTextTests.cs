using Isolation.Launch;
using Isolation.Linux;
using static Isolation.Linux.SystemCall;

namespace Isolation.Tests;

/// <summary>A plan can be read: operands as strace shows them, branches in words.</summary>
public class PlanTextTests
{
    private static readonly (Operand Operand, string Text)[] Operands =
    [
        (7, "7"), (-100, "-100"), (ulong.MaxValue, "-1"), (1L << 40, "1099511627776"),
        (Operand.Null, "NULL"), (Operand.CurrentDirectory, "AT_FDCWD"), (Operand.Octal(0x1ED), "0755"), (Operand.Named(2, "MNT_DETACH"), "MNT_DETACH"),
        ("/a", "\"/a\""), ("say \"hi\"\\\n", @"""say \""hi\""\\\n"""), (new string('x', 65), $"\"{new string('x', 61)}\"..."),
        (Operand.Content("ab"), "\"ab\""), (Operand.Bytes([1], "{one}"), "{one}"), (Operand.Texts(["a", "b"]), "[\"a\", \"b\"]"), (Operand.Texts([]), "[]"),
        (new Slot("root"), "<root>"), (Operand.AddressOf(new Slot("id")), "&<id>"),
    ];

    [Fact]
    public void Operands_are_shown_as_strace_shows_them() => Assert.Equal(Operands.Select(pair => pair.Text), Operands.Select(pair => pair.Operand.ToString()));

    [Fact]
    public void A_long_list_is_cut_and_says_how_long_it_is()
    {
        string text = Operand.Texts([.. Enumerable.Range(0, 500).Select(i => $"a{i}")]).ToString();
        Assert.StartsWith("[\"a0\", \"a1\"", text, StringComparison.Ordinal);
        Assert.Contains("\"a31\"", text, StringComparison.Ordinal);
        Assert.DoesNotContain("\"a32\"", text, StringComparison.Ordinal);
        Assert.Contains("468", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_step_is_its_call_and_its_branches_are_words()
    {
        LaunchStep step = new(openat, [Operand.CurrentDirectory, "/x", 0], "open x");
        Assert.Equal(("openat(AT_FDCWD, \"/x\", 0)", ""), (step.ToString(), step.Branches()));
        Assert.Equal("openat(AT_FDCWD, \"/x\", 0) = <file>", step.Into(new("file")).ToString());
        Assert.Equal("5 goes to 'five'", step.When(5, new("five")).Branches());
        Assert.Equal("ENOENT goes to 'gone'; an error goes to 'bad'", step.When(-2, new("gone")).OnErrorGo(new("bad")).Branches());
        Assert.Equal("EEXIST is fine; errors are ignored", new LaunchStep(setsid, [], "").Tolerate(Errno.EEXIST).IgnoreErrors().Branches());
    }

    [Fact]
    public void A_plan_shows_purposes_once_and_labels_where_they_stand()
    {
        PlanWriter writer = new(TargetAbi.X64);
        Label end = new("the end");
        writer.For("do two things").Call(setsid).When(0, end);
        writer.Call(umask, 0);
        writer.Mark(end);
        writer.For("start").Call(execve, "/x", Operand.Texts(["/x"]), Operand.Texts([]));
        string text = writer.Finish(failure => failure.For("fail").Call(exit_group, 1)).ToString();
        Assert.Equal(
            """
              # do two things
                0  setsid()   -- 0 goes to 'the end'
                1  umask(0)
            'the end':
              # start
                2  execve("/x", ["/x"], [])
              # fail
                3  exit_group(1)

            """, text);
    }
}
