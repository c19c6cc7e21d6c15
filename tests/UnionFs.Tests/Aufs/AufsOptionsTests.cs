namespace Isolation.UnionFs.Tests;

/// <summary>Against the rules of aufs.5, since no kernel of today has AUFS.</summary>
public sealed class AufsOptionsTests
{
    [Fact]
    public void The_writable_branch_is_first_and_whiteouts_of_the_others_count() =>
        Assert.Equal(["br:/w=rw:/top=ro+wh:/bottom=ro+wh,dirperm1"], AufsOptions.Build("/w", [("/top", false), ("/bottom", false)]));

    [Fact]
    public void What_nobody_can_write_is_really_readonly()
    {
        Assert.Equal(["br:/top=ro+wh:/image=rr+wh,dirperm1,xino=/run/x"], AufsOptions.Build(null, [("/top", false), ("/image", true)], "/run/x"));
        Assert.True(AufsOptions.IsReadOnly(0x73717368));
        Assert.False(AufsOptions.IsReadOnly(0xef53));
    }

    [Fact]
    public void What_does_not_fit_into_a_page_is_appended_beneath_one_by_one()
    {
        (string, bool)[] lower = [.. Enumerable.Range(0, 126).Select(i => ($"/{i:D3}{new string('x', 96)}", false))];
        IReadOnlyList<string> options = AufsOptions.Build("/w", lower);

        Assert.All(options, text => Assert.InRange(text.Length, 1, 4095));
        string[] first = options[0]["br:".Length..^",dirperm1".Length].Split(':');
        Assert.Equal("/w=rw", first[0]);
        Assert.All(options.Skip(1), text => Assert.StartsWith("append:/", text, StringComparison.Ordinal));
        Assert.Equal(lower.Select(branch => $"{branch.Item1}=ro+wh"), [.. first.Skip(1), .. options.Skip(1).Select(text => text["append:".Length..])]);
        Assert.InRange(options.Count, 80, 100);
    }

    [Fact]
    public void A_path_that_would_be_read_as_several_is_refused()
    {
        foreach (string path in (string[])["/a:b", "/a,b"])
            Assert.Equal(UnionFsErrorReason.NotSupported, Assert.Throws<UnionFsException>(() => AufsOptions.Build(null, [(path, false)])).Reason);
        Assert.Equal(["br:/a=b=ro+wh,dirperm1"], AufsOptions.Build(null, [("/a=b", false)]));
        Assert.Equal(UnionFsErrorReason.NotSupported, Assert.Throws<UnionFsException>(() => AufsOptions.Build("/" + new string('x', 4090), [("/a", false)])).Reason);
        Assert.Equal(UnionFsErrorReason.NotSupported, Assert.Throws<UnionFsException>(() => AufsOptions.Build("/w", [("/" + new string('x', 4090), false)])).Reason);
    }

    [Fact]
    public void No_more_branches_than_the_common_build_takes()
    {
        (string, bool)[] lower = [.. Enumerable.Range(0, 127).Select(i => ($"/{i}", false))];
        Assert.Single(AufsOptions.Build(null, lower));
        Assert.Equal(UnionFsErrorReason.TooManyBranches, Assert.Throws<UnionFsException>(() => AufsOptions.Build("/w", lower)).Reason);
    }
}
