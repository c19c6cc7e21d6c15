namespace Isolation.Cgroups;

/// <summary>The service manager cannot be reached, does not answer, or answers with an error.</summary>
/// <param name="message">What happened.</param>
/// <param name="name">The error's name, such as <c>org.freedesktop.DBus.Error.AccessDenied</c>; null where it was none of the manager's.</param>
/// <param name="cause">What it rests on.</param>
internal sealed class SystemdException(string message, string? name = null, Exception? cause = null) : Exception(message, cause)
{
    internal string? Name { get; } = name;
}
