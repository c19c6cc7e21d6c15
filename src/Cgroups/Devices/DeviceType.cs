namespace Isolation.Cgroups;

/// <summary>Which kind of device files a rule is about.</summary>
public enum DeviceType
{
    /// <summary>Both kinds, <c>a</c>.</summary>
    All,

    /// <summary>Character devices, <c>c</c>.</summary>
    Char,

    /// <summary>Block devices, <c>b</c>.</summary>
    Block,
}

/// <summary>What may be done with a device file. The numbers are the kernel's (<c>BPF_DEVCG_ACC_*</c> of linux/bpf.h).</summary>
[Flags]
public enum DeviceAccess
{
    /// <summary>Nothing; no rule is about it.</summary>
    None = 0,

    /// <summary>Making the file, <c>m</c> (mknod(2)).</summary>
    Mknod = 1,

    /// <summary>Opening it for reading, <c>r</c>.</summary>
    Read = 2,

    /// <summary>Opening it for writing, <c>w</c>.</summary>
    Write = 4,

    /// <summary>All of these, <c>rwm</c>.</summary>
    All = Mknod | Read | Write,
}
