using System.Globalization;
using System.Text;
using Isolation.Linux;

namespace Isolation;

/// <summary>
/// A name that one container at a time has, of all containers of this user. It is the lock of a file of that name, so the kernel lets go of it when its process
/// dies; for a container that lives on, the file says which process must have ended.
/// </summary>
internal sealed class Claim : IDisposable
{
    private const int LongestNotes = 256;
    private readonly ClaimDirectory _directory;
    private readonly FileDescriptor _file;

    private Claim(ClaimDirectory directory, string name, FileDescriptor file) => (_directory, Name, _file) = (directory, name, file);

    internal string Name { get; }

    /// <returns>Null where somebody has it.</returns>
    /// <exception cref="LinuxException">The file cannot be made.</exception>
    internal static Claim? TryTake(ClaimDirectory directory, string name)
    {
        while (true)
        {
            FileDescriptor file = DirectoryFiles.Open(directory.Directory, name, Abi.O_RDWR | Abi.O_CREAT | Abi.O_APPEND, 0x180 /* 0600 */);
            if (!FileLock.TryTake(file))
            {
                file.Dispose();
                return null;
            }

            // One that was let go of and removed between the two calls is nobody's.
            if (!DirectoryFiles.Is(directory.Directory, name, file))
            {
                FileLock.ReleaseAndClose(file);
                continue;
            }

            if (!IsHeldByProcess(file)) return new(directory, name, file);
            FileLock.ReleaseAndClose(file);
            return null;
        }
    }

    /// <summary>From here on it is taken for as long as that process runs, whatever becomes of this one.</summary>
    /// <exception cref="LinuxException">It cannot be written.</exception>
    internal void KeepFor(int processId)
    {
        if (ProcessStartTime.Read(processId) is not { } start) return;
        Descriptors.WriteAll(_file, Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{processId} {start}\n")));
    }

    /// <summary>Lets go of it. More than once does nothing.</summary>
    public void Dispose()
    {
        if (_file.IsClosed) return;
        DirectoryFiles.TryDelete(_directory.Directory, Name);
        FileLock.ReleaseAndClose(_file);
    }

    private static bool IsHeldByProcess(FileDescriptor file)
    {
        Span<byte> notes = stackalloc byte[LongestNotes];
        string text = Encoding.ASCII.GetString(notes[..Descriptors.ReadAt(file, notes, 0)]);
        return text.Split('\n').Any(line => line.Split(' ') is [{ } process, { } start]
            && int.TryParse(process, NumberStyles.None, CultureInfo.InvariantCulture, out int processId) && processId > 1
            && ulong.TryParse(start, NumberStyles.None, CultureInfo.InvariantCulture, out ulong startTime)
            && ProcessRemover.IsAlive((processId, startTime)));
    }
}
