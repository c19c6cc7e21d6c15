namespace Isolation;

/// <summary>A container of an OCI runtime cannot be made, or cannot do what is asked in the state in which it is.</summary>
public sealed class OciRuntimeException : Exception
{
    /// <param name="message">What, and why not.</param>
    /// <param name="inner">What it came from.</param>
    internal OciRuntimeException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
