using System.Runtime.CompilerServices;
using System.Text;

namespace Isolation;

/// <summary>
/// The log of a detached container. Its program writes it, and nobody stands between: so it is rotated as logrotate(8) does with copytruncate. What is written between
/// the last look at its end and the cut is lost; that is a matter of microseconds, and only where a log is rotated.
/// </summary>
internal static class DetachedLog
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    internal static void Rotate(DetachedFiles files, DetachOptions options)
    {
        if (options.LogBytes is not { } most || !File.Exists(files.Log) || new FileInfo(files.Log).Length < most) return;
        for (int number = options.LogFiles; number > 1; number--)
            if (File.Exists(files.RotatedLog(number - 1))) File.Move(files.RotatedLog(number - 1), files.RotatedLog(number), overwrite: true);
        using FileStream log = new(files.Log, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        if (options.LogFiles > 0)
        {
            using FileStream rotated = new(files.RotatedLog(1), FileMode.Create);
            do log.CopyTo(rotated);
            while (log.Position < log.Length);
        }

        log.SetLength(0); // the program appends (O_APPEND), so it goes on at the begin
    }

    /// <param name="files">Of which container.</param>
    /// <param name="hasEnded">Whether more is to be waited for; null for not at all.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal static async IAsyncEnumerable<string> ReadAsync(DetachedFiles files, Func<bool>? hasEnded, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        int oldest = 0;
        while (File.Exists(files.RotatedLog(oldest + 1))) oldest++;
        for (int number = oldest; number > 0; number--)
            foreach (string line in await File.ReadAllLinesAsync(files.RotatedLog(number), cancellationToken).ConfigureAwait(false)) yield return line;
        if (!File.Exists(files.Log)) yield break;
        using FileStream log = new(files.Log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        StringBuilder partial = new();
        Decoder decoder = Encoding.UTF8.GetDecoder();
        byte[] bytes = new byte[16384];
        char[] text = new char[16384];
        for (bool last = false; ;)
        {
            if (log.Position > log.Length) log.Position = 0; // it was rotated
            int count = await log.ReadAsync(bytes, cancellationToken).ConfigureAwait(false);
            if (count == 0)
            {
                if (hasEnded is null || last) break;
                last = hasEnded();
                await Task.Delay(last ? TimeSpan.FromSeconds(1) : Look, cancellationToken).ConfigureAwait(false);
                if (last && !hasEnded()) last = false;
                continue;
            }

            partial.Append(text, 0, decoder.GetChars(bytes, 0, count, text, 0));
            string[] lines = partial.ToString().Split('\n');
            for (int i = 0; i < lines.Length - 1; i++) yield return lines[i];
            partial.Clear().Append(lines[^1]);
        }

        if (partial.Length > 0) yield return partial.ToString();
    }
}
