namespace Isolation.Linux.Tests;

/// <summary>
/// A root directory to be confined to, with a directory beside it that must never be reached. Both are named in
/// <c>secret</c>: a test that reads "outside" has escaped.
/// </summary>
internal sealed class TemporaryRoot : IDisposable
{
    internal TemporaryRoot()
    {
        Base = Directory.CreateTempSubdirectory("isolation-path-").FullName;
        Inside = Path.Combine(Base, "root");
        Outside = Path.Combine(Base, "outside");
        Directory.CreateDirectory(Inside);
        Directory.CreateDirectory(Outside);
        File.WriteAllText(Path.Combine(Base, "secret"), "outside");
        File.WriteAllText(Path.Combine(Outside, "secret"), "outside");
        File.WriteAllText(Path.Combine(Inside, "secret"), "inside");
        Descriptor = FileDescriptor.Open(Inside, Abi.O_PATH | TargetAbi.Current.O_DIRECTORY);
    }

    internal string Base { get; }

    internal string Inside { get; }

    internal string Outside { get; }

    internal FileDescriptor Descriptor { get; }

    internal string At(string path) => Path.Combine(Inside, path);

    internal TemporaryRoot Directories(params string[] paths)
    {
        foreach (string path in paths) Directory.CreateDirectory(At(path));
        return this;
    }

    internal TemporaryRoot Text(string path, string text)
    {
        File.WriteAllText(At(path), text);
        return this;
    }

    internal TemporaryRoot Link(string path, string target)
    {
        File.CreateSymbolicLink(At(path), target);
        return this;
    }

    public void Dispose()
    {
        Descriptor.Dispose();
        Directory.Delete(Base, recursive: true);
    }
}
