using System.Collections.Immutable;
using Isolation.Launch;
using Isolation.Linux;

namespace Isolation.Tests;

public class ExecStepsTests
{
    [Theory]
    [InlineData("sh", "/bin:/usr/bin", "/bin/sh /usr/bin/sh")]
    [InlineData("sh", "/bin/:/", "/bin/sh /sh")]
    [InlineData("sh", ":/bin:", "./sh /bin/sh ./sh")] // execvp(3): an empty entry is the current directory
    [InlineData("sh", "", "./sh")]
    [InlineData("sh", "relative", "relative/sh")]
    [InlineData("/bin/sh", "/usr/bin", "/bin/sh")]
    [InlineData("./sh", "/usr/bin", "./sh")]
    [InlineData("a/b", "/usr/bin", "a/b")]
    public void A_name_without_a_slash_is_looked_for_in_PATH(string program, string path, string candidates) =>
        Assert.Equal(candidates.Split(' '), ExecSteps.Candidates(Spec(program, path)));

    [Fact]
    public void Without_PATH_the_usual_directories_are_searched() =>
        Assert.Equal(["/usr/local/bin/sh", "/usr/bin/sh", "/bin/sh"], ExecSteps.Candidates(Spec("sh", null)));

    [Fact]
    public void The_program_gets_its_arguments_and_the_environment_in_order_with_HOME_of_the_user()
    {
        LaunchStep exec = Exec(new ContainerSpec { Command = ["/bin/x", "", "é"], Environment = ContainerSpec.DefaultEnvironment.SetItem("PATH", "/p").SetItem("A", "") });
        Assert.Equal(["/bin/x", "", "é"], (IReadOnlyList<string>)exec.Operands[1].Payload!);
        Assert.Equal(["A=", "PATH=/p", "HOME=/home/u"], (IReadOnlyList<string>)exec.Operands[2].Payload!);
    }

    [Fact]
    public void HOME_that_was_asked_for_stays() =>
        Assert.Contains("HOME=/elsewhere", (IReadOnlyList<string>)Exec(Spec("/bin/x", "/p") with { Environment = ContainerSpec.DefaultEnvironment.SetItem("HOME", "/elsewhere") }).Operands[2].Payload!);

    private static ContainerSpec Spec(string program, string? path) => new()
    {
        Command = [program],
        Environment = path is null ? ImmutableSortedDictionary<string, string>.Empty : ContainerSpec.DefaultEnvironment.SetItem("PATH", path),
    };

    private static LaunchStep Exec(ContainerSpec spec)
    {
        PlanWriter writer = new(TargetAbi.X64);
        ExecSteps.Write(writer, spec, new Identity(5, 5, [], "/home/u"));
        return writer.Finish(last => FailureSteps.Write(last, unheard: false)).Steps[0];
    }
}
