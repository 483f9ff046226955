using System.Buffers;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Envoy.Config.Listener.V3;
using Mesh.Server.Tests.Inbound;
using Mesh.Xds.Metrics;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Server.Tests.Telemetry;

/// <summary>What a server's metrics show of connections that the application gets as they are.</summary>
public sealed class ServerConnectionsTests
{
    private const string Request = "GET /who HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

    [Fact]
    public async Task A_connection_in_plain_text_is_counted_with_its_bytes_both_ways()
    {
        await using var app = await InboundApp.StartAsync();
        app.Set(Listeners.Listener(app.EndPoint, Listeners.PassOn("tcp", new FilterChainMatch())));
        long sent;
        using (var caller = new TcpClient())
        {
            await caller.ConnectAsync(app.EndPoint);
            sent = await AskAsync(caller.GetStream());
        }

        await app.UntilAsync(() => Value(app, "istio_tcp_connections_closed_total{") == 1);
        Value(app, "istio_tcp_connections_opened_total{", "reporter=\"destination\"", "destination_service_name=\"InboundPassthroughCluster\"", "request_protocol=\"tcp\"").ShouldBe(1);
        Value(app, "istio_tcp_connections_opened_total{", "connection_security_policy=\"none\"", "source_principal=\"unknown\"").ShouldBe(1);
        Value(app, "istio_tcp_received_bytes_total{").ShouldBe(Request.Length);
        Value(app, "istio_tcp_sent_bytes_total{").ShouldBe(sent);
        Value(app, "istio_requests_total{").ShouldBe(0);
    }

    [Fact]
    public async Task Mutual_TLS_tells_whose_connection_it_is()
    {
        await using var app = await InboundApp.StartAsync();
        app.Set(Listeners.Listener(app.EndPoint, Listeners.PassOn("tcp", new FilterChainMatch(), app.Tls())));
        long sent;
        using (var caller = new TcpClient())
        {
            await caller.ConnectAsync(app.EndPoint);
            await using var tls = await MeshCaller.SecureAsync(caller.GetStream(), app.Workload(), "istio");
            sent = await AskAsync(tls);
        }

        await app.UntilAsync(() => Value(app, "istio_tcp_connections_closed_total{") == 1);
        Value(app, "istio_tcp_connections_opened_total{", "connection_security_policy=\"mutual_tls\"", "source_principal=\"spiffe://cluster.local/ns/default/sa/client\"", "source_workload_namespace=\"default\"").ShouldBe(1);
        Value(app, "istio_tcp_received_bytes_total{").ShouldBe(Request.Length, "what TLS adds is none of the application's bytes");
        Value(app, "istio_tcp_sent_bytes_total{").ShouldBe(sent);
    }

    [Fact]
    public async Task Connections_with_requests_are_counted_by_those_alone()
    {
        await using var app = await InboundApp.StartAsync();
        app.SetPermissive();
        using (var client = MeshCaller.Plain(app.Port))
        {
            (await client.GetAsync("/who")).EnsureSuccessStatusCode();
        }

        await app.UntilAsync(() => Value(app, "istio_requests_total{") == 1);
        await app.UntilNoConnectionsAsync();
        Value(app, "istio_tcp_connections_opened_total{").ShouldBe(0);
    }

    private static async Task<long> AskAsync(Stream stream)
    {
        await stream.WriteAsync(Encoding.ASCII.GetBytes(Request));
        var answer = new MemoryStream();
        await stream.CopyToAsync(answer).WaitAsync(TimeSpan.FromSeconds(30));
        Encoding.ASCII.GetString(answer.ToArray()).ShouldStartWith("HTTP/1.1 200");
        return answer.Length;
    }

    private static double Value(InboundApp app, string name, params string[] labels)
    {
        var output = new ArrayBufferWriter<byte>();
        PrometheusText.Write(app.App.Services.GetRequiredService<MetricRegistry>(), output);
        return Encoding.UTF8.GetString(output.WrittenSpan).Split('\n')
            .Where(line => line.StartsWith(name, StringComparison.Ordinal) && labels.All(line.Contains))
            .Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
    }
}
