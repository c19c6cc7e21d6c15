namespace Isolation.Images;

/// <summary>A file of the caller's that is there when it is complete.</summary>
internal static class ArchiveFile
{
    /// <param name="path">Of the file; what is there is replaced.</param>
    /// <param name="write">Writes it. What it has written is removed where it fails.</param>
    internal static async Task WriteAsync(string path, Func<Stream, Task> write)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string full = Path.GetFullPath(path), unfinished = $"{full}.{Guid.NewGuid().ToString("N")[..8]}.part";
        try
        {
            FileStream file = new(unfinished, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 128 << 10 });
            await using (file.ConfigureAwait(false))
            {
                await write(file).ConfigureAwait(false);
                file.Flush(flushToDisk: true);
            }

            File.Move(unfinished, full, overwrite: true);
        }
        finally
        {
            File.Delete(unfinished);
        }
    }
}
