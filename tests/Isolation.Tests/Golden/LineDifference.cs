using System.Text;

namespace Isolation.Tests;

/// <summary>The lines in which two texts differ, as diff(1) would show them without context.</summary>
internal static class LineDifference
{
    internal static string Of(string before, string after)
    {
        string[] old = before.Split('\n'), now = after.Split('\n');

        // Length of the longest common subsequence of what is left from each pair of lines on.
        int[,] common = new int[old.Length + 1, now.Length + 1];
        for (int i = old.Length - 1; i >= 0; i--)
            for (int j = now.Length - 1; j >= 0; j--)
                common[i, j] = old[i] == now[j] ? common[i + 1, j + 1] + 1 : Math.Max(common[i + 1, j], common[i, j + 1]);
        StringBuilder text = new();
        for (int i = 0, j = 0; i < old.Length || j < now.Length;)
        {
            if (i < old.Length && j < now.Length && old[i] == now[j]) (i, j) = (i + 1, j + 1);
            else if (j == now.Length || (i < old.Length && common[i + 1, j] >= common[i, j + 1])) text.Append("- ").AppendLine(old[i++]);
            else text.Append("+ ").AppendLine(now[j++]);
        }

        return text.ToString();
    }
}
