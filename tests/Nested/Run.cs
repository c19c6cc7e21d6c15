namespace Isolation.Nested;

/// <summary>Runs one command in a container as the options say, and passes on what came of it.</summary>
internal static class Run
{
    internal static async Task<int> RunAsync(Queue<string> words)
    {
        bool report = false;
        ContainerBuilder builder = new ContainerBuilder().FromHost();
        for (string word = words.Dequeue(); word != "--"; word = words.Dequeue())
        {
            switch (word)
            {
                case "--nesting":
                    builder.WithNesting();
                    break;
                case "--report":
                    report = true;
                    break;
                case "--landlock":
                    builder.WithLandlock(LandlockPolicy.Of(["/"], [words.Dequeue()]));
                    break;
                case "--host-user":
                    builder.WithUserNs(NamespaceSource.Host);
                    break;
                case "--directory":
                    builder.FromDirectory(words.Dequeue(), Enum.Parse<RootAccess>(words.Dequeue()));
                    break;
                case "--bind":
                    builder.WithBind(words.Dequeue(), words.Dequeue());
                    break;
                case "--read-only-bind":
                    builder.WithReadOnlyBind(words.Dequeue(), words.Dequeue());
                    break;
                case "--descriptor":
                    builder.WithDescriptor(int.Parse(words.Dequeue(), System.Globalization.CultureInfo.InvariantCulture), File.OpenHandle(words.Dequeue()));
                    break;
                case "--pids-limit":
                    builder.WithPidsLimit(int.Parse(words.Dequeue(), System.Globalization.CultureInfo.InvariantCulture));
                    break;
                case "--propagation":
                    BindOptions options = new() { Propagation = Enum.Parse<MountPropagation>(words.Dequeue()) };
                    builder.WithBind(words.Dequeue(), words.Dequeue(), options);
                    break;
                case "--masked":
                    builder.WithMaskedPath(words.Dequeue());
                    break;
                default:
                    throw new ArgumentException($"There is no option '{word}'.");
            }
        }

        await using Container container = await builder.WithCommand([.. words]).StartAsync();
        ContainerResult result = await container.WaitAsync();
        Console.Write(result.StandardOutput);
        await Console.Error.WriteAsync(result.StandardError);
        if (report)
            foreach (EnforcementEntry entry in container.Enforcement) Console.WriteLine($"{entry.Feature}: {entry.State}");
        return result.ExitCode ?? 255;
    }
}
