using Bookinfo.Hosting;

namespace Bookinfo.Tests;

/// <summary>One service as the launcher runs it.</summary>
public class ServiceProcessTests
{
    [Fact]
    public async Task Leaves_when_it_is_told_to()
    {
        await using var ratings = Start();
        await ratings.LineAsync(ChildProtocol.Listening);

        await ratings.SayAsync(ChildProtocol.Stop);

        (await ratings.ExitedAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task Leaves_when_its_launcher_is_gone()
    {
        await using var ratings = Start();
        await ratings.LineAsync(ChildProtocol.Listening);

        ratings.CloseInput();

        (await ratings.ExitedAsync()).ShouldBeInRange(0, 1);
    }

    [Fact]
    public async Task Leaves_Ctrl_C_to_the_launcher_and_serves_on()
    {
        if (OperatingSystem.IsWindows())
        {
            return; // A console event cannot be sent to one process there.
        }

        await using var ratings = Start();
        var address = (await ratings.LineAsync(ChildProtocol.Listening))[ChildProtocol.Listening.Length..];

        Signal.CtrlC(ratings.Id);

        using var client = new HttpClient { BaseAddress = new Uri(address), Timeout = Guard.Hang };
        (await client.GetStringAsync("/ratings/0")).ShouldBe("""{"id":0,"ratings":{"Reviewer1":5,"Reviewer2":4}}""");
        await ratings.SayAsync(ChildProtocol.Stop);
        (await ratings.ExitedAsync()).ShouldBe(0);
    }

    [Theory]
    [InlineData("'stars' is no service of Bookinfo", "stars")]
    [InlineData("'--colour' is no option of reviews", "reviews", "--colour")]
    [InlineData("--version needs a value.", "reviews", "--version")]
    public async Task A_wrong_command_line_is_one_line_and_exit_code_1(string message, params string[] args)
    {
        await using var process = BookinfoProcess.Start(args);

        (await process.ExitedAsync()).ShouldBe(1);
        process.Lines.ShouldHaveSingleItem().ShouldStartWith(message);
    }

    // With no control plane to say who may come in, nobody may.
    private static BookinfoProcess Start() => BookinfoProcess.Start(["ratings", "--child"], ("Mesh__Server__Inbound", "false"));
}
