namespace Isolation;

public abstract partial class ProgramBuilder<TSelf>
{
    /// <summary>
    /// Calls back for what happens to the program, from its start on; a launch that fails is reported by its exception.
    /// Called on a thread of the pool, in order, never twice at once for one program, and some time after it happened: the
    /// last call may come after a wait for the end has returned. It may block, and then holds up only itself; when it
    /// falls more than 128 events behind, the oldest are dropped. What it throws is logged and changes nothing. Several
    /// callbacks are called one after the other.
    /// </summary>
    public TSelf OnEvent(Action<ContainerEvent> callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return Set(Draft with { OnEvent = Draft.OnEvent + callback });
    }
}
