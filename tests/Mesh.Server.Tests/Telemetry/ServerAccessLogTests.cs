using System.Text;
using Envoy.Config.Accesslog.V3;
using Envoy.Config.Core.V3;
using Envoy.Extensions.AccessLoggers.Stream.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Telemetry.AccessLogs;
using Mesh.Server.Tests.Http;
using Mesh.Xds.Metrics;
using Microsoft.AspNetCore.Builder;

namespace Mesh.Server.Tests.Telemetry;

/// <summary>Access logs of requests that come in.</summary>
public sealed class ServerAccessLogTests : IAsyncDisposable
{
    private readonly MemoryStream _stdout = new();
    private readonly MeshAccessLogs _logs;

    public ServerAccessLogTests()
        => _logs = new MeshAccessLogs(new MeshAccessLogOptions(), new MetricRegistry(), SystemRandomSource.Instance, TimeProvider.System, openStream: _ => _stdout);

    public ValueTask DisposeAsync() => _logs.DisposeAsync();

    [Fact]
    public async Task Envoys_default_tells_of_a_request_and_of_what_the_application_answered()
    {
        await using var host = await StartAsync(null);
        await host.SendAsync("POST", "/a?b=c", "12345678", ("user-agent", "curl/7.47.0"), ("x-request-id", "cd30da12-ee24-9429-b188-2d494017c083"));

        (await WrittenAsync(host, 1)).ShouldMatch(
            "^\\[[-0-9]{10}T[:0-9]{8}\\.\\d{3}Z\\] \"POST /a\\?b=c HTTP/1\\.1\" 200 - 8 2 \\d+ - \".*\" \"curl/7\\.47\\.0\" \"cd30da12-ee24-9429-b188-2d494017c083\" \"reviews:9080\" \"-\"\n$");
    }

    [Fact]
    public async Task The_connection_that_it_came_by_is_told()
    {
        await using var host = await StartAsync("%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %DOWNSTREAM_LOCAL_ADDRESS% %REQUEST_HEADERS_BYTES% %RESPONSE_HEADERS_BYTES% %ACCESS_LOG_TYPE%\n");
        await host.SendAsync("/");
        var local = host.EndPoint;

        (await WrittenAsync(host, 1)).ShouldMatch($"^127\\.0\\.0\\.1 {local} \\d+ \\d+ DownstreamEnd\n$");
    }

    [Fact]
    public async Task What_the_mesh_refuses_is_logged_with_its_reason()
    {
        await using var host = await StartAsync("%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%\n", m => m.RouteConfig.VirtualHosts[0].Routes[0].Match = new() { Path = "/only" });
        await host.SendAsync("/other");

        (await WrittenAsync(host, 1)).ShouldBe("404 NR route_not_found\n");
    }

    [Theory]
    [InlineData("a\u001b[2Jb")]
    [InlineData("a\u0085[2017-08-08T00:22:56.670Z] forged")]
    [InlineData("a\u009b2J")]
    [InlineData("a\tb\u007f")]
    public async Task Whatever_a_caller_writes_into_a_header_is_one_line(string hostile)
    {
        await using var host = await StartAsync("<%REQ(x-evil)%>\n");
        var isTaken = (await host.SendAsync("/", ("x-evil", hostile))).Status == 200; // Or the server has refused it before anybody else.
        await host.SendAsync("/", ("x-evil", "good"));

        var lines = (await WrittenAsync(host, isTaken ? 2 : 1)).Split('\n');
        lines[^2].ShouldBe("<good>");
        foreach (var line in lines)
        {
            line.ShouldNotContain(c => char.IsControl(c) && c != '\t');
        }

        lines.Length.ShouldBe((isTaken ? 2 : 1) + 1);
    }

    private async Task<DoorHost> StartAsync(string? format, Action<Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager>? change = null)
        => await DoorHost.StartAsync(
            manager =>
            {
                var logger = new StdoutAccessLog { LogFormat = format is null ? null : new SubstitutionFormatString { TextFormatSource = new DataSource { InlineString = format } } };
                manager.AccessLog.Add(new AccessLog { Name = "test", TypedConfig = Any.Pack(logger) });
                change?.Invoke(manager);
            },
            app => app.Run(context => Microsoft.AspNetCore.Http.HttpResponseWritingExtensions.WriteAsync(context.Response, "ok")),
            logs: _logs);

    private async Task<string> WrittenAsync(DoorHost host, int requests)
    {
        await host.Records.EndedAsync(requests).WaitAsync(TimeSpan.FromSeconds(30));
        await host.DisposeAsync();
        await _logs.FlushAsync(default);
        return Encoding.UTF8.GetString(_stdout.ToArray());
    }
}
