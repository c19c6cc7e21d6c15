using Isolation.Linux;

namespace Isolation;

public sealed partial class IsolationHost
{
    private static readonly Lock OpeningDefault = new();
    private static IsolationHost? _default;

    /// <summary>
    /// The host in the usual place, which is opened by its first use and stays open for as long as the process lives.
    /// Opening removes what dead processes have left there, and blocks the caller meanwhile, as a rule for less than a
    /// millisecond. It is opened anew where the process has changed its user since.
    /// </summary>
    /// <exception cref="ContainerException">No usual place can be used; the next call tries again.</exception>
    public static IsolationHost Default
    {
        get
        {
            IsolationHost? host = Volatile.Read(ref _default);
            uint user = (uint)Syscall.Invoke(SystemCall.geteuid);
            if (host?.UserId == user) return host;
            lock (OpeningDefault)
            {
                if (_default?.UserId == user) return _default;
                host = Open(path: null, isDefault: true, onStep: null, CancellationToken.None);

                // What is left of a program that ends is an empty directory as a rule, which the next to open would
                // remove; this leaves none. Containers that still run keep their records: they die with the process.
                AppDomain.CurrentDomain.ProcessExit += (_, _) => host._owner.DeleteIfEmpty();
                Volatile.Write(ref _default, host);
                return host;
            }
        }
    }
}
