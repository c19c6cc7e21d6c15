using System.Runtime.InteropServices;

namespace Isolation.Nested;

/// <summary>How to start this program inside a container.</summary>
public static class NestedProgram
{
    /// <summary>The exit code where a container could not be started; standard error says why.</summary>
    public const int Refused = 99;

    /// <summary>The executable, which stands beside whoever uses it.</summary>
    public static string Path { get; } = System.IO.Path.Join(AppContext.BaseDirectory, "Isolation.Nested");

    /// <summary>Where the runtime is that runs this process.</summary>
    public static string RuntimeRoot { get; } =
        System.IO.Path.GetFullPath(System.IO.Path.Join(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));

    /// <summary>
    /// A container of the host's files in which this program can run, and start containers in its turn. A container's
    /// <c>/tmp</c> and <c>/run</c> are its own, so what is needed from there is bound.
    /// </summary>
    public static ContainerBuilder Container(params string[] arguments)
    {
        ContainerBuilder builder = new ContainerBuilder().FromHost().WithNesting()
            .WithCommand([Path, .. arguments])
            .WithEnvironment("DOTNET_ROOT", RuntimeRoot)
            .WithEnvironment("DOTNET_EnableDiagnostics", "0");
        foreach (string directory in new[] { AppContext.BaseDirectory.TrimEnd('/'), RuntimeRoot }.Distinct())
            if (directory.StartsWith("/tmp/", StringComparison.Ordinal) || directory.StartsWith("/run/", StringComparison.Ordinal))
                builder.WithReadOnlyBind(directory, directory);
        return builder;
    }
}
