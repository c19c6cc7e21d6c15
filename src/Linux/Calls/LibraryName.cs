using System.Runtime.InteropServices;
using Tmds.Linux;

namespace Isolation.Linux;

/// <summary>
/// Tmds.LibC imports <c>libc.so.6</c>, glibc's file name. Under musl there is no such file, but every .NET process has
/// its libc loaded already, so the names can be looked up in the process itself.
/// </summary>
internal static class LibraryName
{
    internal static void MapToThisProcess()
    {
        if (NativeLibrary.TryLoad("libc.so.6", out _)) return;
        try
        {
            NativeLibrary.SetDllImportResolver(typeof(LibC).Assembly, static (_, _, _) => NativeLibrary.GetMainProgramHandle());
        }
        catch (InvalidOperationException)
        {
            // There can be only one resolver, and the program has set its own: it had the same reason, and its way stands.
        }
    }
}
