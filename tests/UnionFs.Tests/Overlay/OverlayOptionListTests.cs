namespace Isolation.UnionFs.Tests;

public sealed class OverlayOptionListTests
{
    [Fact]
    public void What_is_not_set_is_left_to_the_kernel()
    {
        Assert.Empty(OverlayOptionList.Of(new(), isUserNamespace: false, isWritable: true));
        Assert.Equal([("userxattr", "")], OverlayOptionList.Of(new(), isUserNamespace: true, isWritable: true));
        Assert.Empty(OverlayOptionList.Of(new() { UserAttributes = false }, isUserNamespace: true, isWritable: true));
        Assert.Equal([("redirect_dir", "on"), ("metacopy", "on"), ("volatile", "")], OverlayOptionList.Of(new() { Metacopy = true, Volatile = true }, isUserNamespace: false, isWritable: true));
        Assert.Equal([("redirect_dir", "nofollow")], OverlayOptionList.Of(new() { RedirectDirectories = false, Volatile = true }, isUserNamespace: false, isWritable: false));
    }

    [Fact]
    public void What_the_kernel_refuses_together_is_refused_first()
    {
        Assert.Equal(UnionFsErrorReason.NotSupported, Assert.Throws<UnionFsException>(() => OverlayOptionList.Of(new() { Metacopy = true }, isUserNamespace: true, isWritable: true)).Reason);
        Assert.Throws<ArgumentException>(() => OverlayOptionList.Of(new() { Metacopy = true, RedirectDirectories = false }, isUserNamespace: false, isWritable: true));
    }

    [Fact]
    public void As_many_layers_as_the_kernel_stacks_fit_into_half_a_page_of_options()
    {
        string data = OverlayOptionList.Data(OverlayFileSystem.MaxLayers, isWritable: true, OverlayOptionList.Of(new() { Metacopy = true, Volatile = true }, isUserNamespace: false, isWritable: true));
        Assert.StartsWith("lowerdir=0:1:2:", data, StringComparison.Ordinal);
        Assert.Contains(":499,upperdir=w/upper,workdir=w/work,redirect_dir=on,metacopy=on,volatile", data, StringComparison.Ordinal);
        Assert.InRange(data.Length, 1900, 2048);
        Assert.Equal(UnionFsErrorReason.TooManyBranches, Assert.Throws<UnionFsException>(() => OverlayOptionList.Data(2000, isWritable: true, [])).Reason);
    }
}
