using System.Runtime.InteropServices;
using Isolation.Launch;
using Isolation.Linux;

namespace Isolation.Tests;

/// <summary>Makes a program of a plan and runs it: natively, or in the emulator of another architecture.</summary>
internal sealed class ImageRunner(Architecture architecture)
{
    private bool IsNative => architecture == RuntimeInformation.ProcessArchitecture;

    private string Emulator => architecture == Architecture.X64 ? "qemu-x86_64-static" : "qemu-aarch64-static";

    internal TargetAbi Abi => architecture == Architecture.X64 ? TargetAbi.X64 : TargetAbi.Arm64;

    /// <summary>Runs the steps; unless said otherwise, what fails writes its fault record to standard output and ends with 99.</summary>
    internal ToolRun Run(Action<PlanWriter> steps, byte[]? input = null, Action<PlanWriter>? failure = null)
    {
        PlanWriter writer = new(Abi);
        steps(writer);
        LaunchPlan plan = writer.Finish(failure ?? (end =>
        {
            end.Call(SystemCall.write, 1, Operand.AddressOf(FailureSteps.FaultRecord), MachineCode.FirstStep);
            end.Call(SystemCall.exit_group, 99);
        }));
        using TemporaryDirectory directory = new();
        string path = directory["program"];
        File.WriteAllBytes(path, ElfImage.Wrap(ImageAssembler.Assemble(plan, Abi), architecture));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        if (IsNative) return ToolRun.Of(path, [], input);
        try
        {
            return ToolRun.Of(Emulator, [path], input);
        }
        catch (System.ComponentModel.Win32Exception exception) when (exception.NativeErrorCode == 2)
        {
            Assert.Skip($"{Emulator} is not installed (Debian: qemu-user-static), so no program of {architecture} runs here.");
            throw;
        }
    }
}
