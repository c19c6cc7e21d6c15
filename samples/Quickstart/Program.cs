// Isolation in one file: what this host can do, then a sandboxed command on the host's own files.
using Isolation;

IsolationSupport support = await IsolationSupport.ProbeAsync();
Console.WriteLine(support);
if (!support.CanRunContainers)
{
    Console.Error.WriteLine(support["containers"]);
    return 1;
}

ContainerSpec spec = new ContainerBuilder()
    .FromHost()
    .WithCommand("sh", "-c", """
        echo "I am process $$ of $(ls -d /proc/[0-9]* | wc -l) that I can see, on host $(hostname), as $(id -un)."
        touch /etc/isolation-was-here && echo "I have written /etc/isolation-was-here: $(ls /etc/isolation-was-here)"
        """)
    .Build();

ContainerResult result = await spec.RunAsync();
Console.Write(result.StandardOutput);
Console.Error.Write(result.StandardError);
int processes = Directory.GetDirectories("/proc").Count(path => int.TryParse(Path.GetFileName(path), out _));
Console.WriteLine($"On the host {(File.Exists("/etc/isolation-was-here") ? "it is there too, which is wrong" : "there is no such file")}, and {processes} processes run.");

ContainerResult second = await new ContainerBuilder().FromHost().WithCommand("true").RunAsync();
ContainerResult third = await spec.RunAsync();
Console.WriteLine($"From the call to the end it took {result.Elapsed.TotalMilliseconds:F1} ms the first time, {third.Elapsed.TotalMilliseconds:F1} ms the second; 'true' alone took {second.Elapsed.TotalMilliseconds:F1} ms.");
return result.Succeeded ? 0 : 1;
