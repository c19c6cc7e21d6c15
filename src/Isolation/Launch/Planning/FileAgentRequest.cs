namespace Isolation.Launch;

/// <summary>What a file agent can be asked for: the calls of <see cref="Linux.FileCalls"/>.</summary>
internal enum FileAgentRequest
{
    Open,
    MakeDirectory,
    MakeNode,
    MakeLink,
    AddName,
    Rename,
    Remove,
    ChangeMode,
    ChangeModified,
    SetAttribute,
}
