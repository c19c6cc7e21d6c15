using System.Collections.Immutable;
using System.Globalization;
using Isolation.Linux;

namespace Isolation.Cgroups;

public sealed partial class Cgroup
{
    private readonly Lock _updating = new();
    private IReadOnlyList<DeviceRule>? _devices;

    /// <summary>
    /// Changes limits of the running group, in an order that the kernel takes. All are changed, or those that were are
    /// taken back and none is. What is null stays as it is.
    /// </summary>
    /// <exception cref="ArgumentException">A limit is out of range.</exception>
    /// <exception cref="CgroupException">The group was made without the controller, or the kernel refuses a value: nothing has changed.</exception>
    public void Update(ResourceLimits limits)
    {
        ArgumentNullException.ThrowIfNull(limits);
        LimitValidation.Check(limits);
        lock (_updating)
        {
            LimitPlan plan = Translate(limits, Now(limits));
            Refuse(plan.Gaps);
            foreach (LimitWrite write in plan.Writes)
            {
                if (Of(write.Controller) is null)
                    throw new CgroupException(CgroupErrorReason.ControllerUnavailable, $"Cannot {write.Purpose}: the group '{Name}' was made without the controller {ControllerName.V1(write.Controller)}", remedy: "name it in CgroupOptions.Controllers when the group is made");
            }

            if (!limits.Devices.IsEmpty && Of(CgroupController.Devices) is null)
                throw new CgroupException(CgroupErrorReason.ControllerUnavailable, $"Cannot limit devices: the group '{Name}' was made without the controller devices", remedy: "name it in CgroupOptions.Controllers when the group is made");

            // Devices last: what comes before can be taken back.
            Apply(plan.Writes, takeBack: true, limits.Devices);
        }
    }

    /// <summary>
    /// Has the kernel take back memory of the group that it can give again: of files, and where there is swap other memory too.
    /// v2 <c>memory.reclaim</c> (Linux 5.19).
    /// </summary>
    /// <param name="bytes">How much.</param>
    /// <param name="cancellationToken">Heard before it begins.</param>
    /// <returns>Whether so much was taken back; false where there was less.</returns>
    /// <exception cref="CgroupException">The group was made without the controller memory, or has it of v1, or the kernel is older.</exception>
    public Task<bool> ReclaimMemoryAsync(long bytes, CancellationToken cancellationToken = default)
    {
        const string file = "memory.reclaim";
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        GroupDirectory group = Of(CgroupController.Memory)
            ?? throw new CgroupException(CgroupErrorReason.ControllerUnavailable, $"The control group '{Name}' was made without the controller memory", remedy: "name it in CgroupOptions.Controllers when the group is made");
        if (!group.Has(file))
            throw new CgroupException(CgroupErrorReason.NotSupported, $"Cannot take back memory of '{group.Path}': it has no {file}", remedy: "that is of v2, since Linux 5.19; elsewhere set a lower limit for a while");
        return Task.Run(() =>
        {
            nint result = group.TryWrite(file, LimitText.Of(bytes));
            if (Syscall.Is(result, Errno.EAGAIN)) return false;
            return result == 0 ? true : throw GroupFailures.Of(Syscall.Failure(result, "write", $"{group.Path}/{file}, \"{bytes}\""), $"take back memory of '{group.Path}'");
        }, cancellationToken);
    }

    private void Configure(ResourceLimits limits, ResourceLimits preferred)
    {
        if (Of(CgroupController.Cpuset) is { Version: CgroupVersion.V1 }) InheritCpuset(limits);
        LimitPlan plan = Translate(limits, default);
        Refuse(plan.Gaps);
        Apply(plan.Writes, takeBack: false, limits.Devices);
        if (preferred != ResourceLimits.None) Prefer(preferred);
    }

    private void Prefer(ResourceLimits preferred)
    {
        LimitPlan plan = Translate(preferred, default);
        PreferDevices(preferred.Devices);
        _unapplied.AddRange(plan.Gaps.Select(gap => new UnappliedLimit(gap.What, gap.Why)));
        foreach (LimitWrite write in plan.Writes)
        {
            if (Of(write.Controller) is null)
            {
                _unapplied.Add(new(write.File, _system[write.Controller].Absence ?? "the controller is not used"));
                continue;
            }

            try
            {
                Apply([write], takeBack: false);
            }
            catch (CgroupException exception)
            {
                _unapplied.Add(new(write.File, exception.Message));
            }
        }
    }

    private void PreferDevices(ImmutableArray<DeviceRule> rules)
    {
        try
        {
            if (!rules.IsEmpty) ApplyDevices(rules);
        }
        catch (CgroupException exception)
        {
            _unapplied.Add(new(nameof(ResourceLimits.Devices), exception.Message));
        }
    }

    private void ApplyDevices(ImmutableArray<DeviceRule> rules)
    {
        GroupDirectory group = Of(CgroupController.Devices)
            ?? throw new CgroupException(CgroupErrorReason.ControllerUnavailable, "Devices cannot be limited", new InvalidOperationException(_system[CgroupController.Devices].Absence));
        if (group.Version == CgroupVersion.V2)
        {
            DeviceFilter.Apply(group.Directory, group.Path, rules);
        }
        else
        {
            WriteDevices(group, _devices is null ? DeviceWrites.For(rules) : DeviceWrites.Between(_devices, rules));
        }

        _devices = rules;
    }

    /// <summary>Line by line; those that were written are taken back where one is refused.</summary>
    private void WriteDevices(GroupDirectory group, List<DeviceWrite> writes)
    {
        for (int i = 0; i < writes.Count; i++)
        {
            nint result = group.TryWrite(writes[i].File, writes[i].Text);
            if (result == 0) continue;
            foreach (DeviceWrite back in DeviceWrites.Back(writes[..i], _devices)) group.TryWrite(back.File, back.Text);
            string file = $"{group.Path}/{writes[i].File}", text = writes[i].Text;
            throw GroupFailures.Of(Syscall.Failure(result, "write", $"{file}, \"{text}\""), $"write '{text}' to {file}");
        }
    }

    private void InheritCpuset(ResourceLimits limits)
    {
        GroupPart part = _parts.First(part => part.Controllers.Contains(CgroupController.Cpuset));
        LimitPlan plan = new();
        CpusetV1.Inherit(plan, limits, part.Parent.Read(CpusetV1.Cpus), part.Parent.Read(CpusetV1.Mems));
        Apply(plan.Writes, takeBack: false);
    }

    private LimitPlan Translate(ResourceLimits limits, LimitsNow now) =>
        LimitTranslation.Translate(limits, _system, (controller, file) => Of(controller)?.Has(file) == true, now);

    private LimitsNow Now(ResourceLimits limits)
    {
        LimitsNow now = default;
        if (limits.Memory is not null && Of(CgroupController.Memory) is { Version: CgroupVersion.V1 } memory) now = now with { MemoryAndSwap = Number(memory.TryRead(MemoryV1.LimitWithSwap)) };
        if (limits.Cpus is null || Of(CgroupController.Cpu) is not { } cpu) return now;
        return now with { CpuPeriod = Number(cpu.Version == CgroupVersion.V1 ? cpu.TryRead(CpuV1.PeriodFile) : cpu.TryRead(CpuV2.Most)?.Split(' ')[^1]) };
    }

    private static void Refuse(List<LimitGap> gaps)
    {
        if (gaps.Count > 0)
            throw new CgroupException(CgroupErrorReason.NotSupported, string.Join("; ", gaps.Select(gap => $"{gap.What} is not to be had: {gap.Why}")), remedy: "leave it out, or make it a preferred limit");
    }

    /// <summary>
    /// What the kernel refuses because of another value that is still to come (EINVAL: a quota below the burst of before, shares
    /// of an idle group, a period that makes too much of the quota) is tried again after that one.
    /// </summary>
    private void Apply(IReadOnlyList<LimitWrite> writes, bool takeBack, ImmutableArray<DeviceRule> devices = default)
    {
        List<(GroupDirectory Group, string File, string Value)> undo = [];
        try
        {
            for (IReadOnlyList<LimitWrite> left = writes; left.Count > 0;)
            {
                List<LimitWrite> refused = [];
                CgroupException? why = null;
                foreach (LimitWrite write in left)
                {
                    if (Apply(write, takeBack ? undo : null) is not { } refusal) continue;
                    why ??= refusal;
                    refused.Add(write);
                }

                if (refused.Count == left.Count) throw why!;
                left = refused;
            }

            if (!devices.IsDefaultOrEmpty) ApplyDevices(devices);
        }
        catch
        {
            foreach ((GroupDirectory changed, string file, string value) in Enumerable.Reverse(undo)) changed.TryWrite(file, value);
            throw;
        }
    }

    /// <returns>What the kernel has against it, as things are.</returns>
    /// <exception cref="CgroupException">It has something against it however things are.</exception>
    private CgroupException? Apply(LimitWrite write, List<(GroupDirectory Group, string File, string Value)>? undo)
    {
        GroupDirectory group = Of(write.Controller)!;
        try
        {
            if (undo is not null && group.TryRead(write.File) is { } before)
            {
                if (write.File == MemoryV2.Limit) RefuseToKill(group, write);
                group.Write(write.File, write.Value);
                // A write(2) of nothing changes nothing, and the kernel strips the newline.
                if ((write.Undo is null ? before : write.Undo(before)) is { } back) undo.Add((group, write.File, back.Length == 0 ? "\n" : back));
            }
            else
            {
                group.Write(write.File, write.Value);
            }

            return write.Check?.Invoke(group.Read(write.File)) is { } complaint
                ? throw new CgroupException(CgroupErrorReason.InvalidValue, $"Cannot {write.Purpose}: '{write.Value}' to {group.Path}/{write.File}: the kernel says '{complaint}'")
                : null;
        }
        catch (LinuxException cause)
        {
            CgroupException failure = GroupFailures.OfWrite(cause, write, group.Path);
            return cause.Errno == Errno.EINVAL ? failure : throw failure;
        }
    }

    /// <summary>
    /// v1 refuses a limit below what is used and cannot be reclaimed (EBUSY); v2 takes it, and kills until it is kept. So it is
    /// first asked to reclaim, which memory.high does and kills nobody, and then looked at.
    /// </summary>
    private static void RefuseToKill(GroupDirectory group, LimitWrite write)
    {
        const string high = "memory.high", current = "memory.current";
        if (Number(write.Value) is not { } limit || !(Number(group.TryRead(current)) > limit)) return;
        string before = group.Read(high);
        group.Write(high, write.Value);
        long? left = Number(group.TryRead(current));
        group.Write(high, before);
        if (left > limit)
            throw new CgroupException(CgroupErrorReason.InvalidValue, $"Cannot {write.Purpose}: the group '{group.Path}' uses {left} bytes, of which no more can be reclaimed", remedy: "choose a higher limit, or end some of its processes first");
    }

    private static long? Number(string? text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value) ? value : null;
}
