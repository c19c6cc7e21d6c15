using Isolation.Linux;
using static Isolation.Linux.Abi;
using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

/// <summary>
/// Says which profile the program is confined by when it is executed (aa_change_onexec(3)). A process may say that of itself alone, and the kernel remembers it
/// through forks and changes of user; so it is said at the beginning, while <c>/proc</c> is the host's (CVE-2019-16884, CVE-2025-52881).
/// </summary>
internal static class AppArmorSteps
{
    internal const string Purpose = "choose the AppArmor profile";

    internal static void Write(PlanWriter writer, PlanNotes notes, PlanInputs inputs)
    {
        if (inputs.Spec.AppArmor is not { } use || inputs.Host.AppArmorFile is not { } path || inputs.Spec.ServesFiles || inputs.Spec.SignalAll != 0) return;
        string command = $"{(use.Stacked ? "stack" : "exec")} {use.Profile}";
        Label refused = new("AppArmor refused"), done = new("AppArmor profile chosen");
        writer.For($"{Purpose} '{use.Profile}'");
        Slot file = new("attribute");
        LaunchStep open = writer.Call(openat, Operand.CurrentDirectory, path, Operand.Named(O_WRONLY | O_CLOEXEC, "O_WRONLY|O_CLOEXEC")).Into(file);
        LaunchStep say = writer.Call(write, file, Operand.Content(command), command.Length);
        if (!use.Preferred) return;
        open.OnErrorGo(refused);
        say.OnErrorGo(refused);
        writer.Mark(done);
        writer.Later(() =>
        {
            writer.Mark(refused);
            notes.Send("apparmor", $"not confined by '{use.Profile}', because the kernel refused: is it loaded?", done);
        });
    }
}
