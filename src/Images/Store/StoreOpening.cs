using System.Text;
using System.Text.Json;
using Isolation.Linux;

namespace Isolation.Images;

/// <summary>
/// Looks at a directory that is to be a store, and makes it one where it is empty. What is none, of a later version, or has lost
/// its index is left as it is: an index made anew would make everything in the store what nobody needs.
/// </summary>
internal static class StoreOpening
{
    private const string LayoutText = "{\"imageLayoutVersion\":\"1.0.0\"}", Version = "1";
    private static readonly string[] Names = ["blobs", StoreFiles.Own, StoreFiles.IndexName, StoreFiles.LayoutName, "lost+found"];

    /// <exception cref="ImageException">It cannot be used.</exception>
    internal static StoreFiles Open(string path)
    {
        StoreFiles files = new(path);
        try
        {
            bool isStore = Check(files);
            try
            {
                Make(files);
                RemoveDead(files);
            }
            catch (ImageException exception) when (isStore && (IsReadOnly(exception) || exception.Reason == ImageErrorReason.NoSpace))
            {
                // It can be read.
            }

            return files;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            ImageErrorReason reason = exception is UnauthorizedAccessException ? ImageErrorReason.NotPermitted : ImageErrorReason.StoreUnusable;
            throw new ImageException(reason, $"The store '{path}' cannot be used", exception, "give a directory that this user may read and write");
        }
    }

    /// <summary>Whether a failure says that nothing at all can be written.</summary>
    internal static bool IsReadOnly(ImageException exception) => exception.Errno is Errno.EROFS or Errno.EACCES or Errno.EPERM;

    /// <summary>What dead processes have left. Nothing waits for a collection that runs, which does the same.</summary>
    private static void RemoveDead(StoreFiles files)
    {
        TemporaryPlace.RemoveDead(files.Temporary);
        using IDisposable? held = files.TryLock(ImageStore.CollectLock);
        if (held is not null) StoreLease.ReadAll(files.Leases);
    }

    /// <returns>Whether it is a store, or a layout of another tool's; false where it is to become one.</returns>
    private static bool Check(StoreFiles files)
    {
        if (File.Exists(files.Path)) throw new ImageException(ImageErrorReason.StoreUnusable, $"The store '{files.Path}' is a file", remedy: "give a directory, or a path where there is none yet");
        if (!Directory.Exists(files.Path)) return false;
        string[] names = [.. Directory.EnumerateFileSystemEntries(files.Path).Select(entry => Path.GetFileName(entry))]; // also tells whether it may be read
        bool isOwn = CheckVersion(files), isLayout = CheckLayout(files);
        if (!isOwn && !isLayout)
        {
            // A store that was being made when its process died has no other files than these.
            if (names.Except(Names).FirstOrDefault() is { } other)
                throw new ImageException(ImageErrorReason.StoreUnusable, $"The directory '{files.Path}' is no store, and not empty: it has '{other}', and no {StoreFiles.LayoutName}", remedy: "give an empty directory, or one that is a store or an OCI image layout");
            return false;
        }

        if (IsThere(files, StoreFiles.IndexName)) return true;
        throw new ImageException(ImageErrorReason.Damaged, $"The store '{files.Path}' has lost its {StoreFiles.IndexName}: it is missing, or has no bytes", remedy: $"bring it back, or write {EmptyIndex} into it and load the images again");
    }

    private static string EmptyIndex => $"{{\"schemaVersion\":2,\"mediaType\":\"{MediaTypes.Index}\",\"manifests\":[]}}";

    private static bool CheckVersion(StoreFiles files)
    {
        string file = files.At($"{StoreFiles.Own}/version");
        if (!File.Exists(file)) return false;
        string version = File.ReadAllText(file).Trim();
        return version == Version ? true
            : throw new ImageException(ImageErrorReason.StoreUnusable, $"The store '{files.Path}' is of version '{version}', and this library knows version {Version}", remedy: "use a later version of the library, or another directory");
    }

    private static bool CheckLayout(StoreFiles files)
    {
        FileInfo file = new(files.At(StoreFiles.LayoutName));
        if (!file.Exists || file.Length == 0) return false;
        try
        {
            using JsonDocument layout = JsonDocument.Parse(File.ReadAllBytes(file.FullName));
            string? version = layout.RootElement.GetProperty("imageLayoutVersion").GetString();
            return version?.StartsWith("1.", StringComparison.Ordinal) == true ? true
                : throw new ImageException(ImageErrorReason.StoreUnusable, $"The OCI layout '{files.Path}' is of version '{version}', and this library knows version 1", remedy: "use a later version of the library, or another directory");
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new ImageException(ImageErrorReason.Damaged, $"'{file.FullName}' cannot be read", exception, $"write {LayoutText} into it");
        }
    }

    /// <summary>What is missing. The version comes last: with it, what was before it is there.</summary>
    private static void Make(StoreFiles files)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(files.Path) ?? files.Path);

        // To nobody else: what is in it belongs to other users, with the set-user-ID bits of another machine.
        files.MakeDirectory("", 0x1C0);
        foreach (string directory in (string[])["blobs", "blobs/sha256", StoreFiles.Own, $"{StoreFiles.Own}/layers", $"{StoreFiles.Own}/temporary", $"{StoreFiles.Own}/leases", $"{StoreFiles.Own}/locks"]) files.MakeDirectory(directory);
        (string Name, string Text)[] made = [(StoreFiles.IndexName, EmptyIndex), (StoreFiles.LayoutName, LayoutText), ($"{StoreFiles.Own}/version", Version + "\n")];
        if (made.All(file => IsThere(files, file.Name))) return;

        // Who makes the store at the same time has perhaps named an image by now.
        using IDisposable held = files.LockAsync(ImageStore.IndexLock, CancellationToken.None).GetAwaiter().GetResult();
        foreach ((string name, string text) in made)
            if (!IsThere(files, name)) files.Replace(name, Encoding.UTF8.GetBytes(text));
    }

    // One of no length was named before a power loss and never filled.
    private static bool IsThere(StoreFiles files, string name) => new FileInfo(files.At(name)) is { Exists: true, Length: > 0 };
}
