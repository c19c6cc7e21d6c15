using System.Text;
using Isolation.Linux;
using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

internal static class HostNameSteps
{
    internal static void Write(PlanWriter writer, PlanInputs inputs, Slot id)
    {
        if (!inputs.Spec.Namespaces.IsNew(NamespaceKind.Uts)) return;
        writer.For("set the host name");
        if (inputs.Spec.HostName is { } name) writer.Call(sethostname, Operand.Content(name), Encoding.UTF8.GetByteCount(name));
        else writer.Call(sethostname, Operand.AddressOf(id), LaunchPlanner.IdLength);
        writer.For("set the domain name");
        if (inputs.Spec.DomainName is { } domain)
            writer.Call(setdomainname, Operand.Content(domain), Encoding.UTF8.GetByteCount(domain));
        else
            writer.Call(setdomainname, Operand.Content("(none)"), 6); // the kernel's own word for it; the host's is inherited
    }
}
