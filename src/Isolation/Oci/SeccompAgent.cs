using System.Text;
using Isolation.Linux;

namespace Isolation;

/// <summary>Another process, which decides about the calls that a filter leaves to whoever listens (config-linux.md, "The Container Process State").</summary>
/// <param name="Path">The AF_UNIX socket that it takes listeners from.</param>
/// <param name="Metadata">What it is told besides; opaque.</param>
internal sealed record SeccompAgent(string Path, string Metadata)
{
    /// <summary>The container's state, when there is one.</summary>
    internal Func<OciState>? State { get; init; }

    internal void Send(FileDescriptor listener, int processId)
    {
        string text = OciJson.Write(writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("ociVersion", OciState.SpecificationVersion);
            writer.WriteStartArray("fds");
            writer.WriteStringValue("seccompFd");
            writer.WriteEndArray();
            writer.WriteNumber("pid", processId);
            writer.WriteString("metadata", Metadata);
            if (State?.Invoke() is { } state)
            {
                writer.WritePropertyName("state");
                writer.WriteRawValue(state.ToJson());
            }

            writer.WriteEndObject();
        });
        DescriptorSocket.Send(Path, listener, Encoding.UTF8.GetBytes(text), "the listener of the seccomp filter");
    }
}
