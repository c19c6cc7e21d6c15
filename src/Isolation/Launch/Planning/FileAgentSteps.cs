using System.Buffers.Binary;
using Isolation.Linux;
using static Isolation.Linux.Abi;
using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

/// <summary>
/// A process in a container's user and mount namespaces, as their root, that makes file calls for the host, one a
/// request: a rootless host may not open what belongs to its subordinate ids, and nobody outside may make files
/// on a file system whose user namespace does not know them (EOVERFLOW). It executes and loads nothing of the container,
/// nobody in there sees it (it keeps the host's pid namespace) or can trace it (it is not dumpable).
/// </summary>
/// <remarks>
/// A request is known by its length, and brings two descriptors; a second one that is not needed is the first once more. The
/// answer is the result in eight bytes, or for a file that was opened the descriptor.
/// </remarks>
internal static class FileAgentSteps
{
    /// <summary>The agent's descriptor for requests.</summary>
    internal const int Socket = 3;

    /// <summary>Of a request: four numbers, two texts, and eight bytes for each step from one kind to the next.</summary>
    internal const int NumbersSize = 32, TextSize = PATH_MAX, FirstText = NumbersSize, SecondText = FirstText + TextSize, RequestSize = SecondText + TextSize;

    private const int FirstDescriptor = 16, SecondDescriptor = 20; // behind struct cmsghdr

    internal static int Length(FileAgentRequest kind) => RequestSize + 8 * (int)kind;

    internal static void Write(PlanWriter writer)
    {
        FileAgentRequest[] kinds = Enum.GetValues<FileAgentRequest>();
        Slot request = new("request", Length(kinds[^1])), control = new("received descriptors", 32), header = Header(request, control);
        Slot peeked = new("peeked"), result = new("result");
        Label next = new("next request"), done = new("answered");
        Label[] labels = [.. kinds.Select(kind => new Label(kind.ToString()))];

        writer.Mark(next);
        writer.For("wait for a request about files");
        for (int i = 0; i < kinds.Length; i++)
        {
            writer.Call(recvfrom, Socket, Operand.AddressOf(peeked), 8, Operand.Named(MSG_PEEK | MSG_TRUNC, "MSG_PEEK|MSG_TRUNC"), Operand.Null, Operand.Null)
                .When(Length(kinds[i]), labels[i]);
        }

        writer.For("end, because the host needs it no more");
        writer.Call(exit_group, 0);
        for (int i = 0; i < kinds.Length; i++)
        {
            writer.Mark(labels[i]);
            writer.For("take the request in");
            writer.Call(recvmsg, Socket, Operand.AddressOf(header), Operand.Named(MSG_CMSG_CLOEXEC, "MSG_CMSG_CLOEXEC"));
            writer.For("do what the host asks for");
            if (kinds[i] == FileAgentRequest.Open) Open(writer, request, control, done);
            else Do(writer, kinds[i], request, control, result, done);
        }

        writer.Mark(done);
        writer.For("close what came with the request");
        writer.Call(close, Operand.Within(control, SecondDescriptor));
        writer.Call(close, Operand.Within(control, FirstDescriptor)).When(0, next);
    }

    private static void Open(PlanWriter writer, Slot request, Slot control, Label done)
    {
        DescriptorMessage opened = new(8);
        Label failed = new("not opened");
        opened.Take(writer.Call(openat2, Operand.Within(control, FirstDescriptor), Operand.AddressOf(request, FirstText), Operand.AddressOf(request), 24)).OnErrorGo(failed);
        opened.Send(writer, Socket);
        writer.Call(close, opened.Descriptor).When(0, done);
        writer.Mark(failed);
        writer.Call(write, Socket, opened.Address, 8).When(8, done);
    }

    private static void Do(PlanWriter writer, FileAgentRequest kind, Slot request, Slot control, Slot result, Label done)
    {
        Operand first = Operand.Within(control, FirstDescriptor), second = Operand.Within(control, SecondDescriptor);
        Operand name = Operand.AddressOf(request, FirstText), other = Operand.AddressOf(request, SecondText), number = Operand.Within(request, 0);
        LaunchStep step = kind switch
        {
            FileAgentRequest.MakeDirectory => writer.Call(mkdirat, first, name, number),
            FileAgentRequest.MakeNode => writer.Call(mknodat, first, name, number, 0),
            FileAgentRequest.MakeLink => writer.Call(symlinkat, other, first, name),
            FileAgentRequest.AddName => writer.Call(linkat, second, other, first, name, 0),
            FileAgentRequest.Rename => writer.Call(renameat2, first, other, first, name, 0),
            FileAgentRequest.Remove => writer.Call(unlinkat, first, name, 0),
            FileAgentRequest.ChangeMode => writer.Call(fchmod, first, number),
            FileAgentRequest.ChangeModified => writer.Call(utimensat, first, name, Operand.AddressOf(request), Operand.Named(AT_SYMLINK_NOFOLLOW, "AT_SYMLINK_NOFOLLOW")),
            FileAgentRequest.SetAttribute => writer.Call(fsetxattr, first, name, other, number, 0),
            _ => throw new InvalidOperationException($"Unknown request {kind}."),
        };
        step.Into(result).IgnoreErrors();
        writer.For("answer the host");
        writer.Call(write, Socket, Operand.AddressOf(result), 8).When(8, done);
    }

    private static Slot Header(Slot request, Slot control)
    {
        byte[] vector = new byte[16];
        BinaryPrimitives.WriteInt64LittleEndian(vector.AsSpan(8), request.Size);
        Slot iovec = new("iovec of a request", vector.Length) { Initial = vector, Pointers = [(0, request)] };
        byte[] header = new byte[56]; // struct msghdr
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(24), 1);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(40), 24); // always two descriptors, so that the kernel leaves it at that
        return new("request with descriptors", header.Length) { Initial = header, Pointers = [(16, iovec), (32, control)] };
    }
}
