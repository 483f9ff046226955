using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Mesh.Client.Tests.Tcp;
using Mesh.DataPlane.Outbound;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Routing;
using Mesh.TestNet;
using Mesh.Xds.Metrics;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Client.Tests.Telemetry;

/// <summary>What a real client's metrics show of connections that carry no requests.</summary>
public sealed class ClientConnectionsTests
{
    [Fact]
    public async Task A_connection_is_counted_with_its_bytes_both_ways()
    {
        await using var server = new LineServer("mysql-1");
        await using var mesh = ClientMesh.Create().ServeTcp("mysql", server.Port);

        await using (var driver = await LineDriver.ConnectAsync(mesh.Connector(), TcpRules.Host))
        {
            (await driver.AskAsync("NAME")).ShouldBe("mysql-1");
            Value(mesh, "istio_tcp_connections_opened_total{", "reporter=\"source\"", "request_protocol=\"tcp\"", "response_flags=\"-\"").ShouldBe(1);
            Value(mesh, "istio_tcp_connections_closed_total{").ShouldBe(0);
        }

        Value(mesh, "istio_tcp_connections_closed_total{", "response_flags=\"-\"").ShouldBe(1);
        Value(mesh, "istio_tcp_received_bytes_total{").ShouldBe("NAME\n".Length);
        Value(mesh, "istio_tcp_sent_bytes_total{").ShouldBe("mysql-1\n".Length);
    }

    [Fact]
    public async Task A_reset_ends_it_as_well()
    {
        await using var server = new LineServer();
        await using var mesh = ClientMesh.Create().ServeTcp("mysql", server.Port);
        await using var driver = await LineDriver.ConnectAsync(mesh.Connector(), TcpRules.Host);
        await driver.SendAsync("DROP");

        await Should.ThrowAsync<IOException>(driver.ReadLineAsync());

        Value(mesh, "istio_tcp_connections_closed_total{").ShouldBe(1);
    }

    [Theory]
    [InlineData(true, "UF")]
    [InlineData(false, "UH")]
    public async Task A_connection_that_cannot_be_made_is_counted_with_its_reason(bool hasEndpoint, string flags)
    {
        await using var mesh = ClientMesh.Create().ServeTcp("mysql", hasEndpoint ? [ClosedPort.Take()] : []);

        await Should.ThrowAsync<SocketException>(mesh.Connector().ConnectAsync(TcpRules.Host, 3306).AsTask().Within());

        Value(mesh, "istio_tcp_connections_opened_total{", $"response_flags=\"{flags}\"").ShouldBe(1);
        Value(mesh, "istio_tcp_connections_closed_total{", $"response_flags=\"{flags}\"").ShouldBe(1);
    }

    [Fact]
    public async Task What_leaves_the_mesh_goes_to_the_PassthroughCluster()
    {
        await using var server = new LineServer("outside", address: IPAddress.Any);
        await using var mesh = ClientMesh.Create(options: o => o.Client.OutboundTrafficPolicy = OutboundTrafficMode.AllowAny);
        var address = OwnAddress.Address.ToString();
        mesh.Xds.Remove(ListenerType.Instance, $"tcp://{address}:{server.Port}");

        await using (var driver = await LineDriver.ConnectAsync(mesh.Connector(), address, server.Port))
        {
            (await driver.AskAsync("NAME")).ShouldBe("outside");
        }

        Value(mesh, "istio_tcp_connections_closed_total{", "destination_service=\"unknown\"", "destination_service_name=\"PassthroughCluster\"").ShouldBe(1);
        Value(mesh, "istio_tcp_sent_bytes_total{", "destination_service_name=\"PassthroughCluster\"").ShouldBe("outside\n".Length);
    }

    [Fact]
    public async Task What_is_refused_goes_to_the_BlackHoleCluster()
    {
        await using var mesh = ClientMesh.Create(options: o => o.Client.OutboundTrafficPolicy = OutboundTrafficMode.RegistryOnly);
        mesh.Xds.Remove(ListenerType.Instance, "tcp://db.example.com:5432");

        await Should.ThrowAsync<SocketException>(mesh.Connector().ConnectAsync("db.example.com", 5432).AsTask().Within());

        Value(mesh, "istio_tcp_connections_opened_total{", "destination_service_name=\"BlackHoleCluster\"", "response_flags=\"UH\"").ShouldBe(1);
    }

    [Fact]
    public async Task This_machine_is_none_of_the_meshs()
    {
        await using var server = new LineServer("here");
        await using var mesh = ClientMesh.Create();
        await using var driver = await LineDriver.ConnectAsync(mesh.Connector(), "localhost", server.Port);
        (await driver.AskAsync("NAME")).ShouldBe("here");

        Value(mesh, "istio_tcp_connections_opened_total{").ShouldBe(0);
    }

    private static double Value(ClientMesh mesh, string name, params string[] labels)
    {
        var output = new ArrayBufferWriter<byte>();
        PrometheusText.Write(mesh.Services.GetRequiredService<MetricRegistry>(), output);
        return Encoding.UTF8.GetString(output.WrittenSpan).Split('\n')
            .Where(line => line.StartsWith(name, StringComparison.Ordinal) && labels.All(line.Contains))
            .Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
    }
}
