using System.Runtime.InteropServices;

namespace Isolation;

/// <summary>
/// What this host can and cannot do, for this process, with reasons and remedies. Found out by doing it: each namespace
/// is really made, by a child that ends at once. Immutable; safe from any thread.
/// </summary>
public sealed class IsolationSupport
{
    private IsolationSupport(string kernel, IReadOnlyList<SupportEntry> entries) => (Kernel, Entries) = (kernel, entries);

    /// <summary>The kernel's release and machine, such as <c>6.18.0 x86-64</c>.</summary>
    public string Kernel { get; }

    /// <summary>Every feature that was looked at.</summary>
    public IReadOnlyList<SupportEntry> Entries { get; }

    /// <summary>Whether containers with the defaults of <see cref="ContainerBuilder"/> can be started.</summary>
    public bool CanRunContainers => this["containers"].IsAvailable;

    /// <summary>The entry of a feature.</summary>
    /// <exception cref="KeyNotFoundException">There is no such feature.</exception>
    public SupportEntry this[string feature] => Entries.FirstOrDefault(entry => entry.Feature == feature)
        ?? throw new KeyNotFoundException($"There is no feature '{feature}'. There are: {string.Join(", ", Entries.Select(entry => entry.Feature))}.");

    /// <summary>Looks. Takes some ten milliseconds, starts some ten processes that end at once, and leaves nothing behind.</summary>
    public static IsolationSupport Probe() => Task.Run(() => ProbeAsync()).GetAwaiter().GetResult();

    /// <summary>Looks. See <see cref="Probe"/>.</summary>
    public static async Task<IsolationSupport> ProbeAsync(CancellationToken cancellationToken = default)
    {
        string kernel = $"{Environment.OSVersion.Version.ToString(3)} {(RuntimeInformation.ProcessArchitecture == Architecture.X64 ? "x86-64" : "arm64")}";
        List<SupportEntry> entries = [KernelSupport.Release()];
        entries.AddRange(await NamespaceSupport.ProbeAsync(cancellationToken).ConfigureAwait(false));
        entries.AddRange(KernelSupport.Calls());
        entries.Add(KernelSupport.SubordinateIds());
        return new(kernel, entries);
    }

    /// <inheritdoc/>
    public override string ToString() => $"Linux {Kernel}: {string.Join("; ", Entries.Where(entry => !entry.IsAvailable).Select(entry => entry.ToString()).DefaultIfEmpty("everything is there"))}";
}
