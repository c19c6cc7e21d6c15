using static Isolation.Linux.Abi;
using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

/// <summary>
/// Kernel parameters of the container's own namespaces, written once these are there and while <c>/proc</c> is the host's: nothing of the container can stand
/// in its place (CVE-2019-16884, CVE-2025-52881). Whose parameter it is, the kernel sees by who opens the file.
/// </summary>
internal static class SysctlSteps
{
    internal static void Write(PlanWriter writer, PlanInputs inputs)
    {
        foreach ((string name, string value) in inputs.Spec.Sysctls)
        {
            writer.For($"set the kernel parameter {name} to '{value}'");
            Slot file = writer.CallInto("parameter", openat, Operand.CurrentDirectory, "/proc/sys/" + SysctlName.PathOf(name), Operand.Named(O_WRONLY | O_CLOEXEC, "O_WRONLY|O_CLOEXEC"));
            writer.Call(write, file, Operand.Content(value + "\n"), System.Text.Encoding.UTF8.GetByteCount(value) + 1);
        }
    }
}
