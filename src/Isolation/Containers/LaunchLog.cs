using Microsoft.Extensions.Logging;

namespace Isolation;

/// <summary>What is logged about launches.</summary>
internal static partial class LaunchLog
{
    [LoggerMessage(1, LogLevel.Warning, "Container {Container}: {Feature}: {Detail}.")]
    internal static partial void Fallback(ILogger logger, string container, string feature, string detail);

    [LoggerMessage(2, LogLevel.Warning, "The tmpfs directory '{Source}' is bound into container {Container} while container {Other} has it too: each sees the other's files, and its size is one for both. Give each its own with WithTmpfs.")]
    internal static partial void SharedTmpfs(ILogger logger, string source, string container, string other);
}
