using System.Runtime.CompilerServices;

namespace Isolation.Cgroups;

/// <summary>Limits as the writes of the hierarchies that a machine has.</summary>
internal static class LimitTranslation
{
    private static readonly ConditionalWeakTable<ResourceLimits, Known> Translated = [];

    /// <summary>Which controllers the limits speak of.</summary>
    internal static IEnumerable<CgroupController> ControllersOf(ResourceLimits limits, CgroupSystem system) => KnownOf(limits, system).Controllers;

    /// <param name="limits">What is asked for.</param>
    /// <param name="system">Where each controller is.</param>
    /// <param name="hasFile">Whether a controller's group has a file.</param>
    /// <param name="now">Of a group that has limits already.</param>
    /// <returns>Not to be changed: the same limits are not translated twice.</returns>
    internal static LimitPlan Translate(ResourceLimits limits, CgroupSystem system, Func<CgroupController, string, bool> hasFile, LimitsNow now = default) =>
        now == default && KnownOf(limits, system) is { AsksForFiles: false } known ? known.Plan : Make(limits, system, hasFile, now);

    private static Known KnownOf(ResourceLimits limits, CgroupSystem system)
    {
        if (Translated.TryGetValue(limits, out Known? known) && known.System == system) return known;
        bool asks = false;
        LimitPlan plan = Make(limits, system, (_, _) => asks = true, default);
        known = new(system, plan, asks, [.. plan.Writes.Select(write => write.Controller).Concat(limits.Devices.IsDefaultOrEmpty ? [] : [CgroupController.Devices]).Distinct()]);
        Translated.AddOrUpdate(limits, known);
        return known;
    }

    private static LimitPlan Make(ResourceLimits limits, CgroupSystem system, Func<CgroupController, string, bool> hasFile, LimitsNow now)
    {
        LimitPlan plan = new();
        foreach (CgroupController controller in ControllerName.All)
        {
            LimitPlan part = new();
            if ((system.PlaceOf(controller)?.Mount.Version ?? (system.Mode == CgroupMode.V2 ? CgroupVersion.V2 : CgroupVersion.V1)) == CgroupVersion.V1)
                V1(controller, part, limits, file => hasFile(controller, file), now);
            else
                V2(controller, part, limits, file => hasFile(controller, file), now);
            plan.Writes.AddRange(part.Writes);
            plan.Gaps.AddRange(part.Gaps);
        }

        Unified(plan, limits, system);
        return plan;
    }

    private static void V1(CgroupController controller, LimitPlan plan, ResourceLimits limits, Func<string, bool> hasFile, LimitsNow now)
    {
        switch (controller)
        {
            case CgroupController.Cpu: CpuV1.Translate(plan, limits, now); break;
            case CgroupController.Cpuset: CpusetV1.Translate(plan, limits); break;
            case CgroupController.Memory: MemoryV1.Translate(plan, limits, now); break;
            case CgroupController.Io: BlkioV1.Translate(plan, limits, hasFile); break;
            case CgroupController.Pids: PidsV1.Translate(plan, limits); break;
            case CgroupController.Hugetlb: HugetlbV1.Translate(plan, limits); break;
            case CgroupController.NetClass: NetClsV1.Translate(plan, limits); break;
            case CgroupController.NetPriority: NetPrioV1.Translate(plan, limits); break;
            case CgroupController.Rdma: RdmaV1.Translate(plan, limits); break;
            case CgroupController.Misc: MiscV1.Translate(plan, limits); break;
        }
    }

    private static void V2(CgroupController controller, LimitPlan plan, ResourceLimits limits, Func<string, bool> hasFile, LimitsNow now)
    {
        switch (controller)
        {
            case CgroupController.Cpu: CpuV2.Translate(plan, limits, now); break;
            case CgroupController.Cpuset: CpusetV2.Translate(plan, limits); break;
            case CgroupController.Memory: MemoryV2.Translate(plan, limits); break;
            case CgroupController.Io: IoV2.Translate(plan, limits, hasFile); break;
            case CgroupController.Pids: PidsV2.Translate(plan, limits); break;
            case CgroupController.Hugetlb: HugetlbV2.Translate(plan, limits); break;
            case CgroupController.Rdma: RdmaV2.Translate(plan, limits); break;
            case CgroupController.Misc: MiscV2.Translate(plan, limits); break;
            case CgroupController.NetClass:
                plan.Lacks(limits.NetClass is not null, nameof(limits.NetClass), "net_cls is of v1; on v2 match the group itself: iptables -m cgroup --path, or nft socket cgroupv2");
                break;
            case CgroupController.NetPriority:
                plan.Lacks(limits.NetPriorities.Length > 0, nameof(limits.NetPriorities), "net_prio is of v1; on v2 set SO_PRIORITY, or tc with a filter of the group");
                break;
        }
    }

    private static void Unified(LimitPlan plan, ResourceLimits limits, CgroupSystem system)
    {
        foreach ((string file, string value) in limits.Unified)
        {
            string name = file[..file.IndexOf('.', StringComparison.Ordinal)];
            CgroupController? controller = ControllerName.All.Where(candidate => ControllerName.V2(candidate) == name).Select(candidate => (CgroupController?)candidate).FirstOrDefault();
            if (controller is { } known && system.PlaceOf(known)?.Mount.Version == CgroupVersion.V2) plan.Writes.Add(new(known, file, value, $"set {file}") { Undo = before => KeyedLine.Undo(before, file, value) });
            else plan.Gaps.Add(new(file, $"'{name}' is no controller of this machine's v2 hierarchy"));
        }
    }

    private sealed record Known(CgroupSystem System, LimitPlan Plan, bool AsksForFiles, CgroupController[] Controllers);
}
