using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;

namespace Isolation.Linux.Tests;

/// <summary>
/// Writes a C file that asserts what our declarations claim, one line a claim, and has a compiler read it. Nothing of it
/// runs, so a cross compiler will do.
/// </summary>
internal sealed class CHeaderProof(Architecture target)
{
    /// <summary>Newer than the headers of Debian 12 (Linux 6.1, glibc 2.36), or in no header at all: checked where they are defined.</summary>
    internal static readonly string[] MayBeAbsent =
    [
        "MFD_EXEC", // Linux 6.3
        "MFD_NOEXEC_SEAL", // Linux 6.3
        "LANDLOCK_RULE_NET_PORT", // Linux 6.7
        "LANDLOCK_ACCESS_NET_BIND_TCP", // Linux 6.7
        "LANDLOCK_ACCESS_NET_CONNECT_TCP", // Linux 6.7
        "MQUEUE_MAGIC", // ipc/mqueue.c
        "CONFIGFS_MAGIC", // fs/configfs/mount.c
        "FUSECTL_SUPER_MAGIC", // fs/fuse/control.c
        "FUSE_SUPER_MAGIC", // fs/fuse/inode.c, exported by newer headers
        "AUFS_SUPER_MAGIC", // of no kernel of kernel.org
        "ST_NOSYMFOLLOW", // include/linux/statfs.h, not exported to users by older headers
    ];

    private const string Headers = """
        #define _GNU_SOURCE
        #include <stddef.h>
        #include <errno.h>
        #include <fcntl.h>
        #include <poll.h>
        #include <sched.h>
        #include <signal.h>
        #include <time.h>
        #include <unistd.h>
        #include <net/if.h>
        #include <sys/epoll.h>
        #include <sys/eventfd.h>
        #include <sys/file.h>
        #include <sys/inotify.h>
        #include <sys/ioctl.h>
        #include <sys/mman.h>
        #include <sys/mount.h>
        #include <sys/prctl.h>
        #include <sys/resource.h>
        #include <sys/socket.h>
        #include <sys/stat.h>
        #include <sys/statfs.h>
        #include <sys/statvfs.h>
        #include <sys/un.h>
        #include <sys/wait.h>
        #include <asm/unistd.h>
        #include <linux/bpf.h>
        #include <linux/capability.h>
        #include <linux/close_range.h>
        #define _LINUX_MOUNT_H /* which linux/fs.h would include beside sys/mount.h, with the same enums again */
        #define _UAPI_LINUX_MOUNT_H
        #include <linux/fs.h>
        #include <linux/if.h>
        #include <linux/if_addr.h>
        #include <linux/if_link.h>
        #include <linux/keyctl.h>
        #include <linux/landlock.h>
        #include <linux/seccomp.h>
        #include <linux/quota.h>
        #include <linux/limits.h>
        #include <linux/magic.h>
        #include <linux/netlink.h>
        #include <linux/openat2.h>
        #include <linux/rtnetlink.h>
        #include <linux/sched.h>
        #include <linux/sockios.h>
        """;

    private readonly StringBuilder _source = new StringBuilder(Headers).AppendLine();

    internal int Claims { get; private set; }

    internal string Compiler => target == Architecture.X64 ? NativeIsX64 ? "gcc" : "x86_64-linux-gnu-gcc" : NativeIsX64 ? "aarch64-linux-gnu-gcc" : "gcc";

    private static bool NativeIsX64 => RuntimeInformation.ProcessArchitecture == Architecture.X64;

    internal void Constant(string name, object value, bool mayBeAbsent = false)
    {
        // 64 bits on either side, since an unsigned int is not negative and a long may be.
        string number = value is ulong large ? $"(long long){large}ULL" : $"{Convert.ToInt64(value, CultureInfo.InvariantCulture)}LL";
        string claim = $"_Static_assert((long long)({name}) == {number}, \"{name} is {value} here\");";
        Claim(mayBeAbsent ? $"#ifdef {name}\n{claim}\n#endif" : claim);
    }

    internal void Struct(Type type, string cName)
    {
        Claim($"_Static_assert(sizeof({cName}) == {Marshal.SizeOf(type)}, \"sizeof {type.Name} is {Marshal.SizeOf(type)} here\");");
        Fields(type, cName);
    }

    /// <summary>One arm of a union, or the beginning of a struct that grows with the kernel: where its fields are, and not where it ends.</summary>
    /// <param name="type">Ours.</param>
    /// <param name="cName">The union, or the struct.</param>
    /// <param name="arm">Of a union whose arm has a name: that name and a dot.</param>
    internal void Part(Type type, string cName, string arm = "")
    {
        Claim($"_Static_assert(sizeof({cName}) >= {Marshal.SizeOf(type)}, \"{type.Name} is {Marshal.SizeOf(type)} bytes here\");");
        Fields(type, cName, arm);
    }

    private void Fields(Type type, string cName, string arm = "")
    {
        foreach (var field in type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
        {
            if (field.IsPrivate) continue; // padding
            int offset = (int)Marshal.OffsetOf(type, field.Name), size = Marshal.SizeOf(field.FieldType);
            Claim($"_Static_assert(offsetof({cName}, {arm}{field.Name}) == {offset}, \"offset of {type.Name}.{field.Name} is {offset} here\");");
            Claim($"_Static_assert(sizeof((({cName} *)0)->{arm}{field.Name}) == {size}, \"size of {type.Name}.{field.Name} is {size} here\");");
        }
    }

    /// <summary>What the compiler objects to; skips the test where there is none.</summary>
    internal string[] Objections()
    {
        var start = new ProcessStartInfo(Compiler, ["-xc", "-std=gnu11", "-fsyntax-only", "-"])
        {
            RedirectStandardInput = true, RedirectStandardError = true, Environment = { ["LC_ALL"] = "C" },
        };
        Process? compiler = null;
        try
        {
            compiler = Process.Start(start);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip($"{Compiler} is not installed (Debian: gcc, gcc-aarch64-linux-gnu), so the headers of {target} cannot be read.");
        }
        using (compiler)
        {
            var errors = compiler!.StandardError.ReadToEndAsync();
            compiler.StandardInput.Write(_source.ToString());
            compiler.StandardInput.Close();
            string[] lines = [.. errors.GetAwaiter().GetResult().Split('\n').Where(l => l.Contains("error", StringComparison.Ordinal))];
            compiler.WaitForExit();
            if (lines.Length == 0 && compiler.ExitCode != 0) return [$"{Compiler} ended with {compiler.ExitCode}"];
            return lines;
        }
    }

    private void Claim(string line)
    {
        Claims++;
        _source.AppendLine(line);
    }
}
