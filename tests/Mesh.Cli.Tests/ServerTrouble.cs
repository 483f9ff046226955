using Mesh.Cli.Tests.Servers;
using Mesh.TestNet;
using Mesh.Testing;
using Microsoft.AspNetCore.Http;

namespace Mesh.Cli.Tests;

/// <summary>Servers that are down, slow, wrong or hostile: one line says what, where, why and the way out.</summary>
public sealed class ServerTrouble
{
    private static async Task<CommandLine> AskAsync(RequestDelegate answer, params string[] arguments)
    {
        await using var server = await ScriptedServer.StartAsync(answer);
        return await CommandLine.RunAsync(["--control-plane", server.Address, .. arguments.Length > 0 ? arguments : ["ps"]]);
    }

    private static string OneLine(CommandLine run)
    {
        run.ExitCode.ShouldBe(ExitCodes.Failure);
        run.Out.ShouldBeEmpty();
        var line = run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries).ShouldHaveSingleItem();
        line.ShouldStartWith("Error: ");
        line.Any(char.IsControl).ShouldBeFalse();
        return line;
    }

    [Fact]
    public async Task One_that_is_not_there_is_told_with_its_address()
    {
        var address = $"http://127.0.0.1:{ClosedPort.Take()}";
        OneLine(await CommandLine.RunAsync(["--cp", address, "ps"])).ShouldContain($"{address}/ cannot be reached: nobody listens there");
        OneLine(await CommandLine.RunAsync(["ps"], name => name == "MESHCTL_CONTROL_PLANE" ? address : null)).ShouldContain(address);
    }

    [Fact]
    public async Task The_port_for_gRPC_answers_as_well_though_it_speaks_HTTP_2_only()
    {
        await using var controlPlane = await ControlPlaneUnderTest.StartAsync(MeshDocuments.Reviews);
        (await CommandLine.RunAsync(["--cp", controlPlane.Xds, "ps"])).ShouldSucceed().ShouldStartWith("NAME");
    }

    [Fact]
    public async Task One_that_is_slow_is_waited_for_as_long_as_is_said()
    {
        var time = new ManualTimeProvider();
        var asked = new TaskCompletionSource();
        await using var server = await ScriptedServer.StartAsync(async context =>
        {
            asked.TrySetResult();
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });
        var running = CommandLine.RunAsync(["--cp", server.Address, "--timeout", "3s", "ps"], time: time);
        await asked.Task;
        time.Advance(TimeSpan.FromSeconds(3));
        OneLine(await running).ShouldContain("has not answered within 3 s; try again with a longer --timeout");
    }

    [Theory]
    [InlineData(200, "text/html", "<html>hello</html>", "no JSON")]
    [InlineData(404, "text/plain", "", "there is nothing")]
    [InlineData(403, "application/json", """{"problems":["you have not the role"]}""", "--token-file")]
    [InlineData(500, "text/plain", "out of order", "500: out of order")]
    [InlineData(302, "text/plain", "", "302")]
    [InlineData(200, "application/json", "{\"a\":1}", "not what this version of meshctl understands")]
    public async Task One_that_answers_otherwise_is_told(int status, string type, string body, string expected)
        => OneLine(await AskAsync(context =>
        {
            context.Response.StatusCode = status;
            context.Response.ContentType = type;
            context.Response.Headers.Location = "http://127.0.0.1:1/";
            return context.Response.WriteAsync(body);
        })).ShouldContain(expected);

    [Fact]
    public async Task One_that_wants_to_write_on_the_terminal_does_not()
    {
        const string evil = "\\u001b[2J\\u001b]0;owned\\u0007\\nNAME\\u202e";
        var run = await AskAsync(context => context.Response.WriteAsync(
            $$"""[{"proxy":"{{evil}}","workload":"a.default","cluster_id":"{{evil}}","control_plane":"{{evil}}","version":"x","types":[{"name":"CDS","status":"{{evil}}"}]}]"""));
        run.ShouldSucceed();
        run.Lines.Length.ShouldBe(2);
        run.Out.Any(c => char.IsControl(c) && c != '\n').ShouldBeFalse();
        run.Out.ShouldNotContain("\u202e");

        var refused = await AskAsync(context =>
        {
            context.Response.StatusCode = 500;
            return context.Response.WriteAsync("\u001b[2J\r\nfaked line\u0007");
        });
        OneLine(refused);
        foreach (var format in new[] { "json", "yaml" })
        {
            var document = await AskAsync(context => context.Response.WriteAsync($$"""[{"proxy":"{{evil}}","{{evil}}":1}]"""), "ps", "-o", format);
            document.ShouldSucceed().Any(c => char.IsControl(c) && c is not ('\n' or '\r')).ShouldBeFalse();
        }
    }

    [Fact]
    public async Task One_that_breaks_off_or_nests_without_end_is_told()
    {
        OneLine(await AskAsync(async context =>
        {
            context.Response.ContentLength = 1000;
            await context.Response.WriteAsync("[");
            await context.Response.Body.FlushAsync();
            context.Abort();
        }));
        OneLine(await AskAsync(context => context.Response.WriteAsync(new string('[', 100_000)))).ShouldContain("no JSON");
    }

    [Fact]
    public async Task A_token_is_shown_and_never_in_clear_text_to_another_machine()
    {
        string? shown = null;
        await using var server = await ScriptedServer.StartAsync(context =>
        {
            shown = context.Request.Headers.Authorization;
            return context.Response.WriteAsync("[]");
        });
        string? Token(string name) => name == "MESHCTL_TOKEN" ? "sesame" : null;
        (await CommandLine.RunAsync(["--cp", server.Address, "ps"], Token)).ShouldSucceed();
        shown.ShouldBe("Bearer sesame");

        var far = await CommandLine.RunAsync(["--cp", "http://192.0.2.1:15014", "ps"], Token);
        OneLine(far).ShouldContain("clear text");
        far.Error.ShouldNotContain("sesame");
        OneLine(await CommandLine.RunAsync(["--cp", server.Address, "--token-file", "/no/such/file", "ps"])).ShouldContain("the token cannot be read");
    }

    [Theory]
    [InlineData("ps", "--output", "xml")]
    [InlineData("ps", "--timeout", "soon")]
    [InlineData("ps", "--no-such-option")]
    [InlineData("no-such-command")]
    [InlineData("pc", "listeners", "--port", "http")]
    [InlineData("--control-plane", "ftp://x", "ps")]
    [InlineData("--control-plane", "http://user:pass@x", "ps")]
    [InlineData("--cert-file", "x", "ps")]
    [InlineData("pc", "l")]
    public async Task A_command_line_that_is_none_ends_with_2(params string[] arguments)
    {
        var run = await CommandLine.RunAsync(arguments, _ => null);
        run.ExitCode.ShouldBe(ExitCodes.Usage, run.Error + run.Out);
        run.Error.ShouldStartWith("Error: ");
        run.Out.ShouldBeEmpty();
    }

    [Fact]
    public async Task Help_versions_and_completion_need_nobody()
    {
        var help = await CommandLine.RunAsync(["--help"]);
        help.ShouldSucceed().ShouldContain("proxy-status");
        (await CommandLine.RunAsync(["pc", "listeners", "-h"])).ShouldSucceed().ShouldContain("--address");
        (await CommandLine.RunAsync(["version", "--client"])).ShouldSucceed().ShouldStartWith("client version: ");
        (await CommandLine.RunAsync(["completion", "bash"])).ShouldSucceed().ShouldContain("complete -F _meshctl meshctl");
        (await CommandLine.RunAsync(["[suggest:13]", "meshctl proxy"])).ShouldSucceed().ShouldContain("proxy-status");
    }
}
