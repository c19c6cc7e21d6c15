namespace Isolation.Linux.Tests;

public class FileDescriptorTests
{
    [Fact]
    public void What_is_opened_is_close_on_exec()
    {
        using var file = FileDescriptor.Open("/dev/null", Abi.O_RDONLY);
        Assert.Equal(Abi.FD_CLOEXEC, Syscall.fcntl(file.Number, Abi.F_GETFD));
        var (read, write) = Descriptors.Pipe();
        using (read) using (write)
        {
            Assert.Equal(Abi.FD_CLOEXEC, Syscall.fcntl(read.Number, Abi.F_GETFD));
            Assert.Equal(Abi.FD_CLOEXEC, Syscall.fcntl(write.Number, Abi.F_GETFD));
        }
        var (first, second) = Descriptors.SocketPair(Abi.SOCK_STREAM);
        using (first) using (second)
        {
            Assert.Equal(Abi.FD_CLOEXEC, Syscall.fcntl(first.Number, Abi.F_GETFD));
            Assert.Equal(Abi.FD_CLOEXEC, Syscall.fcntl(second.Number, Abi.F_GETFD));
        }
    }

    [Fact]
    public void A_missing_file_is_told_by_name()
    {
        var e = Assert.Throws<LinuxException>(() => FileDescriptor.Open("/no/such/file", Abi.O_WRONLY | Abi.O_APPEND));
        Assert.Equal("openat(\"/no/such/file\", O_WRONLY|O_APPEND): ENOENT (No such file or directory)", e.Message);
    }

    [Fact]
    public void A_path_with_a_NUL_is_refused_and_not_cut_short()
    {
        Assert.Throws<ArgumentException>(() => FileDescriptor.Open("/dev/null\0/x", Abi.O_RDONLY));
    }

    [Fact]
    public void Disposing_twice_closes_once()
    {
        var file = FileDescriptor.Open("/dev/null", Abi.O_RDONLY);
        int number = file.Number;
        file.Dispose();
        // Take the number again (or a lower one), and see that the second disposal leaves it alone.
        using var other = FileDescriptor.Open("/dev/zero", Abi.O_RDONLY);
        nint taken = Syscall.fcntl(other.Number, Abi.F_DUPFD_CLOEXEC, number);
        using var same = new FileDescriptor((int)taken);
        file.Dispose();
        Assert.Equal(Abi.FD_CLOEXEC, Syscall.fcntl(same.Number, Abi.F_GETFD));
        Assert.Throws<ObjectDisposedException>(() => file.Number);
    }

    [Fact]
    public void A_held_descriptor_stays_open_though_it_is_disposed()
    {
        var (read, write) = Descriptors.Pipe();
        using (write)
        {
            using (var held = read.Hold())
            {
                read.Dispose();
                Assert.Equal(Abi.FD_CLOEXEC, Syscall.fcntl(held.Number, Abi.F_GETFD));
            }
            // Now it is closed: the other end finds no reader. (.NET ignores SIGPIPE.)
            Assert.Equal(Errno.EPIPE, Syscall.ErrnoOf(Descriptors.TryWrite(write, "x"u8)));
        }
    }

    [Fact]
    public void What_is_written_is_read_again_up_to_the_end()
    {
        var (read, write) = Descriptors.Pipe();
        using (read)
        {
            Descriptors.WriteAll(write, "hello"u8);
            write.Dispose();
            byte[] buffer = new byte[16];
            Assert.Equal(5, Descriptors.Read(read, buffer));
            Assert.Equal("hello"u8, buffer.AsSpan(0, 5));
            Assert.Equal(0, Descriptors.Read(read, buffer));
        }
    }

    [Fact]
    public void An_empty_nonblocking_pipe_answers_EAGAIN()
    {
        var (read, write) = Descriptors.Pipe(Abi.O_NONBLOCK);
        using (read) using (write)
        {
            Assert.Equal(Errno.EAGAIN, Syscall.ErrnoOf(Descriptors.TryRead(read, new byte[1])));
            var e = Assert.Throws<LinuxException>(() => Descriptors.Read(read, new byte[1]));
            Assert.Equal(Errno.EAGAIN, e.Errno);
        }
    }

    [Fact]
    public void A_sequenced_pair_keeps_messages_apart()
    {
        var (first, second) = Descriptors.SocketPair(Abi.SOCK_SEQPACKET);
        using (first) using (second)
        {
            Descriptors.WriteAll(first, "one"u8);
            Descriptors.WriteAll(first, "three"u8);
            byte[] buffer = new byte[64];
            Assert.Equal(3, Descriptors.Read(second, buffer));
            Assert.Equal(5, Descriptors.Read(second, buffer));
        }
    }

    [Fact]
    public void Reading_at_an_offset_leaves_the_position()
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, "0123456789");
            using var file = FileDescriptor.Open(path, Abi.O_RDONLY);
            byte[] two = new byte[2];
            Assert.Equal(2, Descriptors.ReadAt(file, two, 4));
            Assert.Equal("45"u8, two);
            Assert.Equal(2, Descriptors.Read(file, two));
            Assert.Equal("01"u8, two);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void A_duplicate_outlives_the_original()
    {
        var (read, write) = Descriptors.Pipe();
        using (read)
        {
            using var copy = Descriptors.Duplicate(write);
            write.Dispose();
            Descriptors.WriteAll(copy, "x"u8);
            Assert.Equal(1, Descriptors.Read(read, new byte[4]));
        }
    }
}
