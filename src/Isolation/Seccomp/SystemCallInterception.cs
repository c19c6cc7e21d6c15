using System.Collections.Immutable;

namespace Isolation;

/// <summary>Decides about a system call; see <c>WithSystemCallHandler</c>.</summary>
/// <param name="call">What is asked for, by a thread that waits.</param>
/// <param name="cancellationToken">Cancelled when the time for an answer is over.</param>
public delegate ValueTask<SystemCallAnswer> SystemCallHandler(SystemCallRequest call, CancellationToken cancellationToken);

/// <summary>Calls of a program that the host decides about.</summary>
/// <param name="Calls">Which, besides those of the policy that it leaves to the handler.</param>
/// <param name="Handler">Who decides.</param>
/// <param name="Timeout">How long it may take.</param>
internal sealed record SystemCallInterception(ImmutableArray<string> Calls, SystemCallHandler Handler, TimeSpan Timeout);
