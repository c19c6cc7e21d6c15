using Microsoft.Win32.SafeHandles;

namespace Isolation.Live.Tests;

/// <summary>Every kind of stream, over and over: what this process holds of the system stays the same.</summary>
[Collection(nameof(Alone))]
public sealed class StreamLeakTests
{
    public static TheoryData<string> Kinds => ["discard", "inherit", "file", "lines", "stream", "bytes", "from stream", "from file", "pipe", "pipeline", "joined", "lines read",
        "survivor", "terminal", "terminal attended", "terminal refused", "descriptor", "init", "refused pipes", "abandoned"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Nothing_is_left_of(string kind)
    {
        using TemporaryDirectory directory = new();
        await using Container container = await Sandbox.SleeperAsync();
        for (int i = 0; i < 2; i++) await UseAsync(kind, container, directory); // what a process makes once is made
        HostState before = HostState.Read();

        for (int i = 0; i < 10; i++) await UseAsync(kind, container, directory);

        await before.ReturnsAsync();
    }

    private static async Task UseAsync(string kind, Container container, TemporaryDirectory directory)
    {
        ExecBuilder shell = container.NewProcess().WithCommand("sh", "-c", "cat; echo out; echo err >&2");
        string file = directory["file"];
        File.WriteAllText(file, "content");
        switch (kind)
        {
            case "discard": await shell.WithOutput(OutputTarget.Discard).OutputAsync(); break;
            case "inherit": await container.NewProcess().WithCommand("true").WithInput(InputSource.Inherit).WithOutput(OutputTarget.Inherit).WithError(OutputTarget.Inherit).OutputAsync(); break;
            case "file": await shell.WithOutput(OutputTarget.ToFile(file)).WithError(OutputTarget.SameAsOutput).OutputAsync(); break;
            case "lines": await shell.WithOutput(OutputTarget.ToLines(_ => { })).WithError(OutputTarget.ToLines(_ => { })).OutputAsync(); break;
            case "stream": await shell.WithOutput(OutputTarget.ToStream(new MemoryStream())).OutputAsync(); break;
            case "bytes": await shell.WithInput(InputSource.FromText("text")).OutputAsync(); break;
            case "from stream": await shell.WithInput(InputSource.FromStream(new MemoryStream([1, 2, 3]))).OutputAsync(); break;
            case "from file": await shell.WithInput(InputSource.FromFile(file)).OutputAsync(); break;
            case "pipe":
            {
                await using ContainerProcess process = await shell.WithInput(InputSource.Pipe).WithOutput(OutputTarget.Pipe).WithError(OutputTarget.Pipe).BeginAsync();
                await process.StandardInput.SendAsync("text\n");
                await process.StandardOutput.ReadUntilAsync("text\n");
                break;
            }

            case "pipeline":
            {
                await using ContainerProcess process = await shell.WithInput(InputSource.Pipe).WithOutput(OutputTarget.Pipe).BeginAsync();
                await process.StandardInputWriter.WriteAsync(new byte[] { 65, 10 }, Sandbox.Token);
                await process.StandardOutputReader.ReadAsync(Sandbox.Token);
                break;
            }

            case "joined":
            {
                await using ContainerProcess first = await container.NewProcess().WithCommand("echo", "out").WithOutput(OutputTarget.Pipe).BeginAsync();
                Assert.Equal("out", await container.NewProcess().WithCommand("cat").WithInput(InputSource.OutputOf(first)).OutputAsync());
                break;
            }

            case "lines read":
            {
                await using ContainerProcess process = await container.NewProcess().WithCommand("yes").WithOutput(OutputTarget.Pipe).BeginAsync();
                await foreach (OutputLine _ in process.ReadLinesAsync(Sandbox.Token)) break;
                break;
            }

            case "survivor":
            {
                await using Container other = await Sandbox.SleeperAsync();
                await using ContainerProcess process = await other.NewProcess().WithCommand("sh", "-c", "sleep 1000 & echo out").WithOutput(OutputTarget.Pipe).BeginAsync();
                Assert.Equal("out\n", await process.StandardOutput.ReadToEndAsync());
                break;
            }

            case "terminal":
                Assert.Equal("out\r", await container.NewProcess().WithCommand("echo", "out").WithTerminal().OutputAsync());
                break;
            case "terminal attended":
            {
                await using ContainerProcess process = await container.NewProcess().WithCommand("cat").WithTerminal().BeginAsync();
                await process.Terminal.Stream.SendAsync("text\n");
                await process.Terminal.Stream.ReadUntilAsync("text");
                break;
            }

            case "terminal refused":
                await Assert.ThrowsAsync<ContainerException>(() => container.NewProcess().WithCommand("no-such-program").WithTerminal().BeginAsync());
                break;
            case "refused pipes":
                await Assert.ThrowsAsync<ContainerException>(() => Sandbox.Host("no-such-program").WithInit().WithInput(InputSource.Pipe).WithOutput(OutputTarget.Pipe).WithError(OutputTarget.ToLines(_ => { })).BeginAsync());
                break;
            case "descriptor":
            {
                using SafeFileHandle handle = File.OpenHandle(file);
                await shell.WithDescriptor(5, handle).OutputAsync();
                break;
            }

            case "init": await Sandbox.HostShell("echo out").WithInit().OutputAsync(); break;
            case "abandoned":
            {
                TaskCompletionSource never = new();
                await using ContainerProcess process = await container.NewProcess().WithCommand("yes").WithOutput(OutputTarget.ToStream(new TestStream(onWrite: _ => new(never.Task)))).BeginAsync();
                break;
            }

            default: throw new ArgumentOutOfRangeException(nameof(kind), kind, null);
        }
    }
}
