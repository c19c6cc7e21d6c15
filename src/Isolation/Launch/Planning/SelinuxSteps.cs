using Isolation.Linux;
using static Isolation.Linux.Abi;
using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

/// <summary>
/// Says which SELinux label the program gets when it is executed, and its session keyring (setexeccon(3), setkeycreatecon(3)). As with AppArmor it is said at the
/// beginning, while <c>/proc</c> is the host's.
/// </summary>
internal static class SelinuxSteps
{
    internal const string Purpose = "choose the SELinux label";

    internal static void Write(PlanWriter writer, PlanInputs inputs)
    {
        if (inputs.Labels?.Process is not { } label || inputs.Spec.ServesFiles || inputs.Spec.SignalAll != 0) return;
        writer.For($"{Purpose} '{label}'");
        foreach (string attribute in (string[])["keycreate", "exec"])
        {
            Slot file = writer.CallInto(attribute, openat, Operand.CurrentDirectory, "/proc/self/attr/" + attribute, Operand.Named(O_WRONLY | O_CLOEXEC, "O_WRONLY|O_CLOEXEC"));
            writer.Call(write, file, Operand.Content(label), label.Length);
        }
    }
}
