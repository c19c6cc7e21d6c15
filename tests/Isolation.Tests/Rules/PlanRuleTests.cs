using CsCheck;
using Isolation.Launch;

namespace Isolation.Tests;

/// <summary>Plans of generated containers on generated hosts keep the rules of <see cref="OrderRules"/> and <see cref="ShapeRules"/>.</summary>
public class PlanRuleTests
{
    private const int Samples = 3000;

    [Fact]
    public void Every_plan_keeps_the_rules_on_every_way_through_it()
    {
        int pivots = 0, forks = 0, unprivileged = 0, walks = 0, inits = 0, terminals = 0, bundles = 0;
        GenInputs.Any.Sample(
            inputs =>
            {
                PlanGraph graph = new(LaunchPlanner.Plan(inputs), inputs.Passed.Channel);
                new ShapeRules(graph).Check();
                new OrderRules(inputs, graph).Check();
                if (inputs.Spec.Namespaces.IsNew(NamespaceKind.Mount)) Interlocked.Increment(ref pivots);
                if (NamespaceSteps.NeedsFork(inputs.Spec.Namespaces)) Interlocked.Increment(ref forks);
                if (inputs.NewUser && !IdentityMaps.For(inputs.Spec, inputs.Host).AllowsSetGroups) Interlocked.Increment(ref unprivileged);
                if (!inputs.Host.HasOpenAt2) Interlocked.Increment(ref walks);
                if (inputs.Spec.Init) Interlocked.Increment(ref inits);
                if (inputs.Spec.Layout is not null) Interlocked.Increment(ref bundles);
                if (inputs.Spec.Terminal is not null) Interlocked.Increment(ref terminals);
            },
            iter: Samples, threads: 1, print: Describe);

        // The generator made plans of each kind.
        Assert.All([pivots, forks, unprivileged, walks, inits, terminals, bundles], count => Assert.InRange(count, Samples / 100, Samples));
    }

    [Fact]
    public void The_same_inputs_make_the_same_plan_and_the_same_image()
    {
        GenInputs.Any.Sample(
            inputs =>
            {
                (LaunchPlan first, IReadOnlyList<EnforcementNote> firstNotes) = LaunchPlanner.PlanWithNotes(inputs);
                (LaunchPlan second, IReadOnlyList<EnforcementNote> secondNotes) = LaunchPlanner.PlanWithNotes(inputs with { Spec = inputs.Spec with { } });
                Assert.Equal(first.ToString(), second.ToString());
                Assert.Equal(firstNotes, secondNotes);
                Assert.True(ImageAssembler.Assemble(first, inputs.Host.Abi).AsSpan().SequenceEqual(ImageAssembler.Assemble(second, inputs.Host.Abi)));
            },
            iter: 500, threads: 1, print: Describe);
    }

    [Fact]
    public void Every_plan_fits_its_image()
    {
        GenInputs.Any.Sample(
            inputs =>
            {
                LaunchPlan plan = LaunchPlanner.Plan(inputs);
                ImageReader image = new(ImageAssembler.Assemble(plan, inputs.Host.Abi));
                Assert.True(MachineCode.ImageBase + (ulong)image.Length <= uint.MaxValue, "Offsets and addresses are words of 32 bits.");
                for (int i = 0; i < plan.Steps.Count; i++) CheckStep(plan, image, i, inputs.Host.Abi.Number(plan.Steps[i].Call));
            },
            iter: 500, threads: 1, print: Describe);
    }

    private static void CheckStep(LaunchPlan plan, ImageReader image, int index, int number)
    {
        LaunchStep step = plan.Steps[index];
        int steps = MachineCode.FirstStep + plan.Steps.Count * MachineCode.StepSize;
        Assert.Equal(number, image.Number(index));
        Assert.All([image.ResultOffset(index), image.ExpectedOffset(index)], offset => Assert.InRange(offset, steps, image.Length - 8));
        Assert.Equal(step.ExpectedSlot is null ? step.Expected ?? long.MinValue : 0, image.Expected(index)); // a slot is empty at first
        Assert.Equal(step.OnExpected?.Index ?? index + 1, image.OnExpected(index));
        Assert.Equal(step.IgnoresErrors ? index + 1 : step.OnError?.Index ?? plan.FailureIndex, image.OnError(index));
        for (int i = 0; i < 6; i++)
        {
            Assert.InRange(image.OperandOffset(index, i), steps, image.Length - 8);
            Operand operand = i < step.Operands.Count ? step.Operands[i] : 0;
            switch (operand.Kind)
            {
                case OperandKind.Value: Assert.Equal(operand.Number, image.Operand(index, i)); break;
                case OperandKind.Text: Assert.Equal((string)operand.Payload!, image.Text(image.Operand(index, i))); break;
                case OperandKind.Texts: Assert.Equal((IReadOnlyList<string>)operand.Payload!, image.Texts(image.Operand(index, i))); break;
                case OperandKind.Bytes: Assert.Equal((byte[])operand.Payload!, image.Bytes(image.Operand(index, i), ((byte[])operand.Payload!).Length)); break;
                case OperandKind.SlotAddress: image.OffsetOf(image.Operand(index, i) + ((Slot)operand.Payload!).Size - 1); break;
            }
        }
    }

    private static string Describe(PlanInputs inputs) =>
        $"{inputs.Spec} in {string.Join(", ", Enum.GetValues<NamespaceKind>().Select(kind => $"{kind}: {inputs.Spec.Namespaces[kind]}"))}; root {inputs.Spec.Root}; "
        + $"mounts {string.Join(", ", inputs.Spec.Mounts)}; missing {string.Join(", ", inputs.MissingTargets)}; {inputs.Host.Abi.Architecture}, "
        + $"openat2 {inputs.Host.HasOpenAt2}, mount_setattr {inputs.Host.HasMountSetAttr}";
}
