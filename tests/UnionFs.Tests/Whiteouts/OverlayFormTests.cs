using Isolation.Linux;

namespace Isolation.UnionFs.Tests;

public sealed class OverlayFormTests
{
    [Fact]
    public void What_is_made_is_found()
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("isolation-test-");
        try
        {
            using FileDescriptor open = FileDescriptor.Open(directory.FullName, Abi.O_RDONLY);

            Assert.Equal(0, OverlayForm.MakeWhiteout(open, "gone\0"u8));
            Assert.Equal(0, FileEntries.Status(open, "gone\0"u8, out FileStatus status));
            Assert.True(OverlayForm.IsWhiteout(status));
            Assert.False(OverlayForm.IsWhiteout(FileStatus.Of(open)));

            Assert.False(OverlayForm.IsOpaque(open));
            Assert.Equal(0, OverlayForm.MakeOpaque(open));
            Assert.True(OverlayForm.IsOpaque(open));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }
}
