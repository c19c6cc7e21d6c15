using Isolation.Launch;

namespace Isolation.Nested;

/// <summary>Launches whose plans differ, by name, and each of their steps in another call's place.</summary>
internal sealed class PlanKinds : IAsyncDisposable
{
    private readonly IsolationHost _host;
    private readonly string _root;
    private Container _container = null!;

    private PlanKinds(string state, IsolationHost host) => (_host, _root) = (host, Path.Join(state, "root"));

    internal static string[] Names { get; } = ["from-host", "from-directory", "layered", "init-terminal", "exec", "exec-terminal", "joined", "asked", "subordinate", .. Environment.IsPrivilegedProcess ? (string[])["limited"] : []];

    internal static async Task<PlanKinds> PrepareAsync(string state)
    {
        PlanKinds kinds = new(state, await IsolationHost.OpenAsync(state));
        foreach (string directory in (string[])["bin", "proc", "sys", "dev", "tmp", "run", "etc"]) Directory.CreateDirectory(Path.Join(kinds._root, directory));
        foreach (string file in (string[])["etc/hosts", "etc/hostname", "etc/resolv.conf"]) await File.WriteAllTextAsync(Path.Join(kinds._root, file), "");
        if (!File.Exists(Path.Join(kinds._root, "bin/true"))) File.Copy("/bin/busybox", Path.Join(kinds._root, "bin/true"));
        kinds._container = await new ContainerBuilder().FromHost().WithHost(kinds._host).WithCommand("/bin/sleep", "1000000").StartAsync();
        return kinds;
    }

    /// <summary>A launch of this kind; none two are the same, so that each can have a plan of its own.</summary>
    internal ContainerSpec Spec(string kind) => kind switch
    {
        "from-host" => Builder().FromHost().Build(),
        "from-directory" => Builder().FromDirectory(_root).Build(),
        "layered" => Builder().FromDirectory(_root, RootAccess.Layered).WithTmpfs("/data").WithReadOnlyBind("/etc", "/mnt/etc").Build(),
        "init-terminal" => Builder().FromHost().WithInit().WithTerminal().Build(),
        "exec" => ExecSpec.In(_container) with { Command = ["/bin/true"] },
        "exec-terminal" => ExecSpec.In(_container) with { Command = ["/bin/true"], Terminal = new(80, 24) },
        "joined" => Builder().JoinNamespacesOf(_container, Enum.GetValues<NamespaceKind>()).Build(),
        "asked" => Builder().FromHost().WithInit().AllowNewPrivileges().WithSystemCallHandler((_, _) => ValueTask.FromResult(SystemCallAnswer.Continue), "execve", "write", "sendmsg", "sendto", "capset", "exit_group").Build(),
        "subordinate" => Builder().FromHost().WithSubordinateIds().Build(),
        "limited" => Builder().FromHost().WithPidsLimit(100).WithMemoryLimit(64 << 20).WithCgroupParent(FaultGroups.ParentOf(_host.StateDirectory)).Build(),
        _ => throw new ArgumentException($"There is no kind of plan '{kind}'."),
    };

    /// <summary>Starts it with another step in the place of one; the caller waits for its end.</summary>
    internal ContainerLaunch Begin(string kind, int index, Func<LaunchStep, LaunchStep> change)
    {
        ContainerSpec spec = Spec(kind);
        spec.ChangePlan(plan => plan.With(index, change));
        LaunchStep changed = spec.Compile().Plan.Steps[index], whole = Spec(kind).Compile().Plan.Steps[index];
        if (changed.Call == whole.Call && changed.ToString() == whole.ToString()) throw new InvalidOperationException($"The changed plan of '{kind}' was not taken.");
        return ContainerLaunch.BeginUnattended(spec, CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await _container.DisposeAsync();
        string state = _host.StateDirectory;
        await _host.DisposeAsync();
        FaultGroups.RemoveParents(state);
    }

    private ContainerBuilder Builder() => new ContainerBuilder().WithHost(_host).WithCommand("/bin/true");
}
