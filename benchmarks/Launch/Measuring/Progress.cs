namespace Isolation.Benchmarks;

/// <summary>Says on a terminal how far a mode has come. It is no part of the report.</summary>
internal static class Progress
{
    internal static void Show(int round, int rounds)
    {
        if (Console.IsErrorRedirected) return;
        Console.Error.Write(round + 1 >= rounds ? "\r                    \r" : round < 0 ? "\rwarming up " : $"\rround {round + 1} of {rounds} ");
    }
}
