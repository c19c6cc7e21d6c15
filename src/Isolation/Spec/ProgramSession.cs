namespace Isolation;

/// <summary>Which session and process group a program is in (credentials(7)).</summary>
public enum ProgramSession
{
    /// <summary>It leads a session of its own: no terminal of the host is in its reach.</summary>
    New,

    /// <summary>
    /// It leads a process group of its own in the host program's session. It can push input into that session's terminal
    /// where the kernel allows it (TIOCSTI), and is stopped when it reads from it in the background.
    /// </summary>
    ProcessGroup,

    /// <summary>It is in the host program's session and process group: Ctrl-C reaches it as it reaches the host program.</summary>
    Inherited,
}
