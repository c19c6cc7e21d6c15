using System.Runtime;
using System.Runtime.InteropServices;

namespace Isolation.Samples.Runtime;

/// <summary>
/// A command lives for milliseconds and makes some megabyte of objects. Each page of them would be a fault of its own, which is a good part of its life where a
/// hypervisor has a word in each: all are had by one call before the first.
/// </summary>
internal static class Memory
{
    private const int MallocArenaMax = -8;
    private const int PopulateWrite = 23; // MADV_POPULATE_WRITE, Linux 5.14; before it the call fails, and pages come one by one.
    private const int Collapse = 25; // MADV_COLLAPSE, Linux 6.1: one large page.
    private const int Size = 2 << 20;

    internal static void Populate()
    {
        // One heap of malloc(3) for the few threads that there are.
        _ = mallopt(MallocArenaMax, 1);
        if (!GC.TryStartNoGCRegion(Size + Size / 2)) return;
        byte[] next = GC.AllocateUninitializedArray<byte>(1);
        GCHandle handle = GCHandle.Alloc(next, GCHandleType.Pinned);
        nint start = handle.AddrOfPinnedObject();
        if (madvise(start & -Size, Size, Collapse) != 0) _ = madvise((start + 4095) & ~4095, Size / 2, PopulateWrite);
        handle.Free();
    }

    [DllImport("libc.so.6"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int mallopt(int parameter, int value);

    [DllImport("libc.so.6"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int madvise(nint address, nint length, int advice);
}
