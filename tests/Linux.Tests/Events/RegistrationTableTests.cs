namespace Isolation.Linux.Tests;

public class RegistrationTableTests
{
    private static readonly Recorder Handler = new();

    [Fact]
    public void A_slot_used_again_does_not_answer_to_the_token_of_before()
    {
        using var file = FileDescriptor.Open("/dev/null", Abi.O_RDONLY);
        var table = new RegistrationTable();
        Registration first = New(file), second = New(file);
        ulong before = table.Add(first);
        Assert.Same(first, table.Find(before));
        table.Remove(before);
        Assert.Null(table.Find(before));
        ulong after = table.Add(second);
        Assert.Equal((uint)before, (uint)after); // the same slot
        Assert.Null(table.Find(before));
        Assert.Same(second, table.Find(after));
    }

    [Fact]
    public void It_grows_and_keeps_everybody()
    {
        using var file = FileDescriptor.Open("/dev/null", Abi.O_RDONLY);
        var table = new RegistrationTable();
        var all = Enumerable.Range(0, 1000).Select(_ => New(file)).ToArray();
        foreach (var registration in all) table.Add(registration);
        Assert.All(all, r => Assert.Same(r, table.Find(r.Token)));
        Assert.Equal(1000, table.Count);
        Assert.Null(table.Find(ulong.MaxValue));
    }

    private static Registration New(FileDescriptor file) => new(DescriptorEvents.Shared, file, Handler);
}
