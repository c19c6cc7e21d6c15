using System.Text;
using Isolation.Nested;

namespace Isolation.Live.Tests;

/// <summary>A program whose own terminal is joined to a container's; here it has one because it runs in a container itself.</summary>
public sealed class AttachTests
{
    [Fact]
    public async Task Keys_go_in_output_comes_out_and_the_size_follows()
    {
        await using Container outer = await BeginAsync("exit");
        Screen screen = new(outer.Terminal.Stream);

        await screen.UntilAsync("30 100\r\n");
        outer.Terminal.Resize(132, 50);
        await screen.UntilAsync("50 132\r\n");
        await outer.Terminal.Stream.SendAsync("hello\r");
        await screen.UntilAsync("got hello\r\n");
        await outer.Terminal.Stream.SendAsync("end\r");

        await AssertRestoredAsync(screen, "code 7");
    }

    [Theory]
    [InlineData("cancel", "code 8")]
    [InlineData("crash", "code 134")]
    public async Task The_terminal_is_put_back_however_it_ends(string end, string code)
    {
        await using Container outer = await BeginAsync(end);

        await AssertRestoredAsync(new Screen(outer.Terminal.Stream), code);
    }

    [Fact]
    public async Task The_terminal_is_put_back_when_a_signal_ends_the_process()
    {
        await using Container outer = await BeginAsync("wait");
        Screen screen = new(outer.Terminal.Stream);
        await screen.UntilAsync("attached");

        Assert.True((await outer.ExecAsync("sh", "-c", "kill -TERM $(pgrep -f 'Isolation.Neste[d] attach')")).Succeeded);

        await AssertRestoredAsync(screen, "code 143");
    }

    private static Task<Container> BeginAsync(string end) => NestedProgram.Container()
        .WithCommand("sh", "-c", $"stty -g > /tmp/before; {NestedProgram.Path} attach {end} 2> /dev/null; echo code $?; stty -g > /tmp/after; cmp /tmp/before /tmp/after && echo restored; read wait")
        .WithTerminal(100, 30).BeginAsync();

    private static async Task AssertRestoredAsync(Screen screen, string code)
    {
        await screen.UntilAsync("code ");
        Assert.Equal(code, "code " + (await screen.UntilAsync("\r\n")).TrimEnd());
        await screen.UntilAsync("restored\r\n");
    }

    /// <summary>What a terminal shows, taken piece by piece.</summary>
    private sealed class Screen(Stream terminal)
    {
        private string _ahead = "";

        internal async Task<string> UntilAsync(string text)
        {
            byte[] buffer = new byte[4096];
            while (!_ahead.Contains(text, StringComparison.Ordinal))
            {
                int count = await terminal.ReadAsync(buffer, Sandbox.Token);
                Assert.True(count > 0, $"the terminal ended without '{text}': {_ahead}");
                _ahead += Encoding.UTF8.GetString(buffer, 0, count);
            }

            int end = _ahead.IndexOf(text, StringComparison.Ordinal) + text.Length;
            string shown = _ahead[..end];
            _ahead = _ahead[end..];
            return shown;
        }
    }
}
