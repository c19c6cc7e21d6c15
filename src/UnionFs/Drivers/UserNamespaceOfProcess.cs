namespace Isolation.UnionFs;

/// <summary>The user namespace that this process is in.</summary>
internal static class UserNamespaceOfProcess
{
    /// <summary>Whether it is the machine's first: the only one that maps all ids (user_namespaces(7)). A container that maps all of them passes for one.</summary>
    internal static bool IsInitial { get; } = Read();

    private static bool Read()
    {
        string[] words = File.ReadAllText("/proc/self/uid_map").Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        return words is ["0", "0", "4294967295"];
    }
}
