using Isolation.Linux;

namespace Isolation.Live.Tests;

/// <summary>A root file system that has one of everything an image can say, and changes of every kind. Made by root.</summary>
internal static class RichTree
{
    internal static async Task FillAsync(string directory)
    {
        await ShellAsync(directory, """
            umask 022
            mkdir -p bin etc home/user usr/share/deep/deeper/deepest data/gone/inner data/replaced/inner proc sys dev tmp run
            cp /bin/busybox bin/busybox
            for program in sh cat echo ls rm mkdir ln chmod touch mv chown printf; do ln -s busybox bin/$program; done
            printf 'root:x:0:0::/:/bin/sh\nuser:x:1000:1001::/home/user:/bin/sh\n' > etc/passwd
            echo lower > data/file; echo lower > data/gone/inner/file; echo lower > data/replaced/inner/file; echo lower > data/becomes-directory
            echo once > data/one; ln data/one data/two; ln data/one usr/three
            ln -s ../../../../outside data/dangling; ln -s /etc/passwd data/absolute; ln -s usr usr-link
            mkfifo data/fifo; mknod data/null c 1 3; mknod data/disk b 259 70000
            echo tool > usr/setuid; chown 12:34 usr/setuid; chmod 6755 usr/setuid
            mkdir -m 1777 data/sticky; mkdir -m 0700 data/private; mkdir -m 2750 data/private/inner; echo first > data/private/inner/file; chown 77:88 data/private/inner; echo secret > data/private/secret; chmod 0400 data/private/secret
            chown -R 1000:1001 home/user; chown 3000000000:70000 data/private/secret; chown -h 7:8 data/dangling
            echo name > "data/ünïcode name"; echo long > data/$(printf 'n%.0s' $(seq 250))
            mkdir -p data/$(printf 'long-directory/%.0s' $(seq 12)); echo far > data/$(printf 'long-directory/%.0s' $(seq 12))file
            : > data/empty
            head -c 70000 /dev/urandom > data/random; head -c 3000000 /dev/zero > data/zeros
            printf begin > data/sparse; truncate -s 9M data/sparse; printf middle >> data/sparse; truncate -s 20M data/sparse
            """);
        using FileDescriptor top = FileDescriptor.Open(directory, Abi.O_RDONLY);
        Set(top, "usr/setuid\0"u8, "user.binary\0"u8, [0, 1, 255, (byte)'=', (byte)'\n']);
        Set(top, "usr/share\0"u8, "user.of-directory\0"u8, "x"u8);
        Set(top, "bin/busybox\0"u8, "security.capability\0"u8, [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]); // cap_net_bind_service=ep
        await SetTimesAsync(directory, "1600000000.123456789");
    }

    /// <summary>In a tree that has what <see cref="FillAsync"/> made. One directory is not, and a file in it is: umoci makes layers without an entry of such a directory.</summary>
    internal static async Task ChangeAsync(string directory)
    {
        await ShellAsync(directory, Changes);
        await ShellAsync(directory, "echo other > data/private/inner/file; find data usr -newermt 2021-01-01 -print0 | xargs -0 touch -h -d @1650000000.5; touch -d @1650000000.5 etc home"); // what was changed, and is younger than the rest
    }

    /// <summary>Removed and made anew, another kind in its place, another mode and owner, a name more, a name less, renamed.</summary>
    internal const string Changes = """
        rm -rf data/gone data/two
        rm -rf data/replaced; mkdir data/replaced; echo upper > data/replaced/other
        rm data/becomes-directory; mkdir data/becomes-directory; echo upper > data/becomes-directory/inside
        rm -rf data/sticky; echo upper > data/sticky
        echo upper > data/file
        chmod 0750 home/user; chown 5:6 etc/passwd
        ln data/random data/random-too
        mv usr/setuid usr/renamed
        ln -s new usr/new-link; mkdir -p new/directory; touch new/directory/file
        """;

    /// <summary>Files first: making a name changes the time of its directory.</summary>
    private static Task SetTimesAsync(string directory, string time) => ShellAsync(directory, $"find . -depth -print0 | xargs -0 touch -h -d @{time}");

    internal static async Task ShellAsync(string directory, string script)
    {
        (int code, _, string error) = await Sandbox.OnHostAsync("bash", "-ec", $"cd '{directory}'\n{script}");
        Assert.True(code == 0, error);
    }

    private static void Set(FileDescriptor top, ReadOnlySpan<byte> path, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) =>
        Syscall.Check(FileEntries.SetAttribute(top, path, name, value), "setxattr");
}
