using System.Text;
using Isolation.Linux;

namespace Isolation.UnionFs.Tests;

public sealed class MergedTreeTests
{
    [Fact]
    public void Aufs_own_files_are_none_of_the_union_and_its_marks_hide()
    {
        using Scratch scratch = new();
        scratch.Write("bottom/file", "");
        scratch.Write("bottom/d/hidden", "");
        scratch.Write("bottom/same/old", "");
        scratch.Write("top/.wh.file", "");
        scratch.Write("top/.wh..wh.plnk/1.2", "");
        scratch.Write("top/.wh..wh.aufs", "");
        scratch.Write("top/d/.wh..wh..opq", "");
        scratch.Write("top/d/seen", "");
        // A whiteout beside a directory of the same layer hides what is below the layer alone (layer.md, "Whiteouts").
        scratch.Write("top/.wh.same", "");
        scratch.Write("top/same/new", "");

        Assert.Equal(["d", "d/seen", "same", "same/new"], Paths(scratch, WhiteoutForm.Aufs, "top", "bottom"));
        // The same branch in overlayfs's form has files with such names.
        Assert.Contains(".wh.file", Paths(scratch, WhiteoutForm.Overlay, "top", "bottom"));
    }

    [Theory]
    [InlineData("../x")]
    [InlineData("/../x")]
    [InlineData("/a//b")]
    [InlineData("a/b")]
    [InlineData("..")]
    [InlineData("")]
    [InlineData("/a\0b")]
    public void A_redirect_that_leads_out_is_refused(string redirect)
    {
        using Scratch scratch = new();
        scratch.Make("bottom");
        scratch.Write("top/dir/file", "");
        using (FileDescriptor directory = scratch.Open("top/dir"))
            Syscall.Check(FileEntries.SetAttribute(directory, "user.overlay.redirect\0"u8, Encoding.UTF8.GetBytes(redirect)), "setxattr");
        // Of no length: the kernel keeps such an attribute, and nothing can be meant by it.
        if (redirect == "") Assert.Equal(["dir", "dir/file"], Record(() => Paths(scratch, WhiteoutForm.Overlay, "top", "bottom")) ?? ["dir", "dir/file"]);
        else Assert.Equal(Errno.EINVAL, Assert.Throws<LinuxException>(() => Paths(scratch, WhiteoutForm.Overlay, "top", "bottom")).Errno);
    }

    [Fact]
    public void A_tree_that_is_deeper_than_anybody_makes_it_is_refused()
    {
        using Scratch scratch = new();
        scratch.Make("bottom");
        FileDescriptor directory = scratch.Open("bottom");
        for (int i = 0; i < MergedTree.MostLevels + 2; i++)
        {
            using FileDescriptor above = directory;
            FileEntries.MakeDirectory(above, "d\0"u8, 0x1C0);
            directory = MergedTree.OpenDirectory(above, "d\0"u8, "");
        }

        directory.Dispose();
        using FileDescriptor root = scratch.Open("bottom"), target = FileDescriptor.Open(scratch.Make("target"), Abi.O_RDONLY);
        MergedTree tree = new([new(root, WhiteoutForm.Overlay)]);
        Assert.Equal(Errno.ENAMETOOLONG, Assert.Throws<LinuxException>(() => new MergedCopy(mayLink: false, owners: null, TestContext.Current.CancellationToken).Run(tree, target)).Errno);
        Assert.Throws<UnionFsException>(() => WhiteoutTree.Convert(scratch["bottom"], WhiteoutForm.Overlay, WhiteoutForm.Aufs, TestContext.Current.CancellationToken));
    }

    [Fact]
    public void A_name_that_is_a_whiteout_in_the_other_form_is_refused()
    {
        using Scratch scratch = new();
        scratch.Write("layer/.wh.real", "");
        Assert.Equal(UnionFsErrorReason.NotSupported, Assert.Throws<UnionFsException>(() => WhiteoutTree.Convert(scratch["layer"], WhiteoutForm.Overlay, WhiteoutForm.Aufs, TestContext.Current.CancellationToken)).Reason);
        File.Delete(scratch["layer/.wh.real"]);
        using (FileDescriptor layer = scratch.Open("layer")) OverlayForm.MakeWhiteout(layer, FileName.Of(new string('n', 253)));
        Assert.Equal(UnionFsErrorReason.NotSupported, Assert.Throws<UnionFsException>(() => WhiteoutTree.Convert(scratch["layer"], WhiteoutForm.Overlay, WhiteoutForm.Aufs, TestContext.Current.CancellationToken)).Reason);
        Assert.Single(Directory.GetFileSystemEntries(scratch["layer"]));
    }

    [Fact]
    public void A_copy_keeps_everything()
    {
        using Scratch scratch = new();
        scratch.Write("from/file", "text");
        using (FileDescriptor from = scratch.Open("from"))
        {
            byte[] odd = [0xff, 0xfe, (byte)'\n', 0];
            Assert.Equal(0, FileEntries.AddName(from, "file\0"u8, from, odd));
            Assert.Equal(0, FileEntries.MakeLink("/nowhere/../\0"u8, from, "link\0"u8));
            Assert.Equal(0, FileEntries.MakeNode(from, "fifo\0"u8, Abi.S_IFIFO | 0x124));
            Assert.Equal(0, FileEntries.SetAttribute(from, "file\0"u8, "user.test\0"u8, "value"u8));
            Assert.Equal(0, FileEntries.SetAttribute(from, "user.directory\0"u8, new byte[300]));
            using (FileStream sparse = File.Create(scratch["from/sparse"]))
            {
                sparse.SetLength(64 << 20);
                sparse.Position = 32 << 20;
                sparse.WriteByte(1);
            }

            if (Environment.IsPrivilegedProcess)
            {
                Assert.Equal(0, FileEntries.MakeNode(from, "device\0"u8, Abi.S_IFBLK | 0x180, (259, 70000)));
                Assert.Equal(0, FileEntries.ChangeOwner(from, "file\0"u8, 12345, 4000000000));
                Assert.Equal(0, FileEntries.ChangeOwner(from, "link\0"u8, 1, 2));
                Assert.Equal(0, FileEntries.SetAttribute(from, "file\0"u8, "security.capability\0"u8, Convert.FromHexString("0100000202000000000000000000000000000000")));
                Assert.Equal(0, FileEntries.SetAttribute(from, "link\0"u8, "trusted.test\0"u8, "t"u8));
            }

            Assert.Equal(0, FileEntries.ChangeModeFollowing(from, "file\0"u8, 0xDED /* 06755 */));
            Assert.Equal(0, FileEntries.ChangeTimes(from, "link\0"u8, null, (-5, 123456789)));
            Assert.Equal(0, FileEntries.ChangeTimes(from, "file\0"u8, null, (1, 999999999)));
        }

        using FileDescriptor source = scratch.Open("from"), target = FileDescriptor.Open(scratch.Make("to"), Abi.O_RDONLY);
        MergedCopy copy = new(mayLink: false, owners: null, TestContext.Current.CancellationToken);
        copy.Run(new MergedTree([new(source, WhiteoutForm.Overlay)]), target);

        Assert.Equal(TreeText.Of(new MergedTree([new(source, WhiteoutForm.Overlay)]), withTimes: true), TreeText.Of(new MergedTree([new(target, WhiteoutForm.Overlay)]), withTimes: true));
        Assert.Equal(FileStatus.Of(source).Modified, FileStatus.Of(target).Modified);
        FileEntries.Status(target, "file\0"u8, out FileStatus file);
        Assert.Equal(2u, file.Links);
        FileEntries.Status(target, "sparse\0"u8, out FileStatus holes);
        Assert.InRange(holes.Blocks, 0, 1024);
        Assert.Equal(2, copy.Counts.Cloned + copy.Counts.Copied);
    }

    private static string[]? Record(Func<string[]> action)
    {
        try
        {
            return action();
        }
        catch (LinuxException exception) when (exception.Errno == Errno.EINVAL)
        {
            return null;
        }
    }

    private static string[] Paths(Scratch scratch, WhiteoutForm form, params string[] branches)
    {
        List<FileDescriptor> open = [.. branches.Select(scratch.Open)];
        try
        {
            List<string> paths = [];
            using MergedDirectory root = new MergedTree([.. open.Select(branch => new MergedTree.Branch(branch, form))]).OpenRoot();
            Add(paths, root, "");
            return [.. paths];
        }
        finally
        {
            open.ForEach(branch => branch.Dispose());
        }
    }

    private static void Add(List<string> paths, MergedDirectory directory, string prefix)
    {
        foreach (MergedEntry entry in directory.Read())
        {
            paths.Add(prefix + FileName.Text(entry.Name));
            if (!entry.IsDirectory) continue;
            using MergedDirectory below = directory.Enter(entry);
            Add(paths, below, paths[^1] + "/");
        }
    }
}
