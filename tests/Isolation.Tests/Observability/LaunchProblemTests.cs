using Isolation.Linux;

namespace Isolation.Tests;

/// <summary>What logs and traces say of a failed launch: never the operands of the call.</summary>
public sealed class LaunchProblemTests
{
    [Fact]
    public void A_step_is_told_by_its_purpose_and_errno()
    {
        LinuxException cause = Syscall.Failure(-(int)Errno.ENOENT, "execve", "\"tool\", [\"tool\", \"--password=x\"], [\"TOKEN=x\"]");
        ContainerException failure = new(ContainerErrorReason.ProgramNotFound, "The program is not there", cause, null) { Purpose = "start the program" };

        Assert.Equal(("ProgramNotFound", "cannot start the program: ENOENT"), LaunchProblem.Of(failure));
    }

    [Fact]
    public void What_fails_before_there_is_a_step_is_told_in_its_own_words() =>
        Assert.Equal(("UserNotFound", "There is no user 'x'."), LaunchProblem.Of(new ContainerException(ContainerErrorReason.UserNotFound, "There is no user 'x'", null, "use another")));

    [Fact]
    public void A_cancellation_is_one() => Assert.Equal("Cancelled", LaunchProblem.Of(new TaskCanceledException()).Reason);

    [Fact]
    public void Anything_else_is_told_by_its_type() =>
        Assert.Equal(("System.IO.FileNotFoundException", "no such source"), LaunchProblem.Of(new FileNotFoundException("no such source")));
}
