using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Mesh.Client.Tests.Tcp;
using Mesh.DataPlane.Telemetry.AccessLogs;
using Mesh.TestNet;
using Mesh.Xds.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Mesh.EndToEnd.Tests.Tcp;

/// <summary>A database of two versions, drivers that speak to it, and the documents that people write for it.</summary>
public sealed class ConnectionLabs : IAsyncLifetime
{
    private const string Service = """
        apiVersion: v1
        kind: Service
        metadata: {name: mysql}
        spec:
          ports: [{name: tcp-mysql, port: 3306}]
          selector: {app: mysql}
        """;

    private const string Subsets = """
        ---
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: mysql}
        spec:
          host: mysql
          subsets:
          - {name: v1, labels: {version: v1}}
          - {name: v2, labels: {version: v2}}
        """;

    private readonly LineServer _v1 = new("v1");
    private readonly LineServer _v2 = new("v2");
    private PodMesh _mesh = null!;

    public async Task InitializeAsync() => _mesh = await PodMesh.StartAsync(Service + "\n" + Pod("v1", _v1.Port) + Pod("v2", _v2.Port) + Subsets, new Mesh.Testing.EvenRandomSource());

    public async Task DisposeAsync()
    {
        await _mesh.DisposeAsync();
        await _v1.DisposeAsync();
        await _v2.DisposeAsync();
    }

    [Fact]
    public async Task Without_a_rule_the_service_is_reached_by_every_name_that_it_has()
    {
        var connector = Connector(_mesh.Application());

        foreach (var host in new[] { "mysql", "mysql.default", "mysql.default.svc.cluster.local", "MYSQL." })
        {
            await using var driver = await LineDriver.ConnectAsync(connector, host);
            (await driver.AskAsync("NAME")).ShouldBeOneOf("v1", "v2");
        }
    }

    [Fact]
    public async Task Weights_are_exact_and_a_change_is_for_new_connections()
    {
        await _mesh.ApplyAsync(Rule("""[{route: [{destination: {host: mysql, subset: v1}, weight: 80}, {destination: {host: mysql, subset: v2}, weight: 20}]}]"""));
        var connector = Connector(_mesh.Application());

        (await CountAsync(connector, 100)).ShouldBe(new Dictionary<string, int> { ["v1"] = 80, ["v2"] = 20 });

        await _mesh.ApplyAsync(Rule("""[{route: [{destination: {host: mysql, subset: v1}}]}]"""));
        await using var old = await LineDriver.ConnectAsync(connector, "mysql");
        await _mesh.ApplyAsync(Rule("""[{route: [{destination: {host: mysql, subset: v2}}]}]"""));

        (await CountAsync(connector, 10)).ShouldBe(new Dictionary<string, int> { ["v2"] = 10 });
        (await old.AskAsync("NAME")).ShouldBe("v1");
    }

    [Fact]
    public async Task A_rule_may_ask_who_calls()
    {
        await _mesh.ApplyAsync(Rule("""
            [{match: [{sourceLabels: {app: job}, port: 3306, gateways: [mesh]}], route: [{destination: {host: mysql, subset: v2}}]},
                  {route: [{destination: {host: mysql, subset: v1}}]}]
            """));

        (await CountAsync(Connector(_mesh.Application(new MeshWorkload("job"))), 5)).ShouldBe(new Dictionary<string, int> { ["v2"] = 5 });
        (await CountAsync(Connector(_mesh.Application(new MeshWorkload("web"))), 5)).ShouldBe(new Dictionary<string, int> { ["v1"] = 5 });
    }

    [Fact]
    public async Task A_service_with_an_address_is_reached_by_it_and_ruled_by_it()
    {
        await _mesh.ApplyAsync(string.Create(CultureInfo.InvariantCulture, $$$"""
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: legacy}
            spec:
              hosts: [legacy.example.com]
              addresses: [10.9.0.7]
              ports: [{number: 3306, name: tcp, protocol: TCP}]
              resolution: STATIC
              endpoints: [{address: 127.0.0.1, ports: { tcp: {{{_v1.Port}}} } }]
            ---
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: legacy}
            spec:
              hosts: [legacy.example.com]
              tcp:
              - match: [{destinationSubnets: [10.8.0.0/16]}]
                route: [{destination: {host: nowhere}}]
              - match: [{destinationSubnets: [10.9.0.0/16]}]
                route: [{destination: {host: mysql, subset: v2}}]
            """));
        var connector = Connector(_mesh.Application());

        foreach (var host in new[] { "legacy.example.com", "10.9.0.7" })
        {
            await using var driver = await LineDriver.ConnectAsync(connector, host);
            (await driver.AskAsync("NAME")).ShouldBe("v2");
        }
    }

    [Fact]
    public async Task Connections_are_counted_for_their_service_while_they_are_open_and_a_document_says_with_which_labels()
    {
        await _mesh.ApplyAsync(Rule("""[{route: [{destination: {host: mysql, subset: v1}}]}]"""));
        var application = _mesh.Application(new MeshWorkload("web") { Namespace = "default" });
        await using var driver = await LineDriver.ConnectAsync(Connector(application), "mysql");
        (await driver.AskAsync("ECHO twelve bytes")).ShouldBe("twelve bytes");

        var opened = Lines(application, "istio_tcp_connections_opened_total").ShouldHaveSingleItem();
        opened.ShouldContain("reporter=\"source\",source_workload=\"web");
        opened.ShouldContain("destination_service=\"mysql.default.svc.cluster.local\"");
        opened.ShouldContain("destination_service_name=\"mysql\"");
        opened.ShouldContain("destination_service_namespace=\"default\"");
        opened.ShouldContain("destination_version=\"v1\"");
        opened.ShouldContain("request_protocol=\"tcp\"");
        _mesh.Time.Advance(TimeSpan.FromSeconds(5));
        Lines(application, "istio_tcp_sent_bytes_total").ShouldHaveSingleItem().ShouldEndWith(" 13");
        Lines(application, "istio_tcp_received_bytes_total").ShouldHaveSingleItem().ShouldEndWith(" 18");
        Lines(application, "istio_tcp_connections_closed_total").ShouldHaveSingleItem().ShouldEndWith(" 0");

        await _mesh.ApplyAsync("""
            apiVersion: telemetry.istio.io/v1
            kind: Telemetry
            metadata: {name: mesh, namespace: istio-system}
            spec:
              metrics:
              - overrides:
                - match: {metric: TCP_OPENED_CONNECTIONS, mode: CLIENT}
                  tagOverrides: {response_flags: {operation: REMOVE}}
                - match: {metric: TCP_CLOSED_CONNECTIONS, mode: CLIENT}
                  disabled: true
            """);
        await using var next = await LineDriver.ConnectAsync(Connector(application), "mysql");
        (await next.AskAsync("NAME")).ShouldBe("v1");
        Lines(application, "istio_tcp_connections_opened_total").Single(line => !line.Contains("response_flags=\"-\"", StringComparison.Ordinal)).ShouldEndWith(" 1");
        await next.DisposeAsync();
        Lines(application, "istio_tcp_connections_closed_total").ShouldHaveSingleItem().ShouldEndWith(" 0");
        await driver.DisposeAsync();
        Lines(application, "istio_tcp_connections_closed_total").ShouldHaveSingleItem().ShouldEndWith(" 1");
    }

    [Fact]
    public async Task A_policy_limits_connections_and_their_idleness()
    {
        await _mesh.ApplyAsync("""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: mysql}
            spec:
              host: mysql
              trafficPolicy: {connectionPool: {tcp: {maxConnections: 1, idleTimeout: 30s}}}
              subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]
            """);
        var connector = Connector(_mesh.Application());
        await using var driver = await LineDriver.ConnectAsync(connector, "mysql");

        var refused = await Should.ThrowAsync<SocketException>(connector.ConnectAsync("mysql", 3306).AsTask().OrHang());
        refused.Message.ShouldContain("outbound|3306||mysql.default.svc.cluster.local");
        refused.Data[MeshRequest.ResponseFlags.Key].ShouldBe("UO");

        var reading = driver.ReadLineAsync();
        _mesh.Time.Advance(TimeSpan.FromSeconds(30));
        (await Should.ThrowAsync<IOException>(reading)).Message.ShouldContain("idle_timeout");
        await using var again = await LineDriver.ConnectAsync(connector, "mysql");
    }

    [Fact]
    public async Task A_dead_version_is_ejected_by_connections_that_fail()
    {
        await _mesh.ApplyAsync(Pod("v1", ClosedPort.Take()));
        await _mesh.ApplyAsync("""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: mysql}
            spec:
              host: mysql
              trafficPolicy: {outlierDetection: {consecutive5xxErrors: 2, maxEjectionPercent: 100}}
            """);
        var connector = Connector(_mesh.Application());

        var failures = 0;
        for (var i = 0; i < 20; i++)
        {
            try
            {
                await using var driver = await LineDriver.ConnectAsync(connector, "mysql");
                (await driver.AskAsync("NAME")).ShouldBe("v2");
            }
            catch (SocketException)
            {
                failures++;
            }
        }

        failures.ShouldBe(2);
    }

    [Fact]
    public async Task Under_REGISTRY_ONLY_a_host_that_nobody_names_is_refused()
    {
        await _mesh.ApplyAsync("""
            apiVersion: mesh.istio.io/v1alpha1
            kind: MeshConfig
            metadata: {name: mesh}
            spec: {outboundTrafficPolicy: {mode: REGISTRY_ONLY}}
            """);
        var connector = Connector(_mesh.Application(configure: o => o.Client.OutboundTrafficPolicy = null));

        var refused = await Should.ThrowAsync<SocketException>(connector.ConnectAsync("db.example.com", 5432).AsTask().OrHang());

        refused.Message.ShouldContain("db.example.com:5432");
        refused.Message.ShouldContain("REGISTRY_ONLY");
        _mesh.Engines[0].Clusters.OutsideClusters.BlackHoleStats.OutsideRequests.Value.ShouldBe(1);
    }

    [Fact]
    public async Task A_driver_that_takes_no_stream_connects_to_a_port_of_this_machine()
    {
        await _mesh.ApplyAsync(Rule("""[{route: [{destination: {host: mysql, subset: v2}}]}]"""));
        var application = _mesh.Application(configure: o => o.Client.TcpListeners.Add(new() { Service = "mysql:3306" }));
        foreach (var service in application.GetServices<IHostedService>())
        {
            await service.StartAsync(CancellationToken.None);
        }

        using var client = new TcpClient();
        await client.ConnectAsync(application.GetRequiredService<IMeshTcpListeners>().EndPointOf("mysql:3306"));
        await using (var driver = new LineDriver(client.GetStream()))
        {
            (await driver.AskAsync("NAME")).ShouldBe("v2");
        }

        foreach (var service in application.GetServices<IHostedService>())
        {
            await service.StopAsync(CancellationToken.None).OrHang();
        }
    }

    [Fact]
    public async Task A_handler_of_ones_own_takes_the_connector_in_its_callback()
    {
        var pod = await _mesh.AddPodAsync("web");
        await _mesh.ApplyAsync("""
            apiVersion: v1
            kind: Service
            metadata: {name: web}
            spec:
              ports: [{name: http, port: 80}]
              selector: {app: web}
            """);
        var connector = Connector(_mesh.Application());
        using var client = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = (context, token) => connector.ConnectAsync(context.DnsEndPoint.Host, context.DnsEndPoint.Port, token),
        });

        (await client.GetStringAsync("http://web/").OrHang()).ShouldContain("v1");
        pod.Served.ShouldBe(1);
    }

    [Fact]
    public async Task The_access_log_of_the_MeshConfig_has_a_line_of_each_connection()
    {
        var folder = Directory.CreateTempSubdirectory("mesh-logs-");
        try
        {
            await _mesh.ApplyAsync($$"""
                apiVersion: mesh.istio.io/v1alpha1
                kind: MeshConfig
                spec: {accessLogFile: {{folder.FullName}}/access.log}
                """);
            var application = _mesh.Application(configure: options => options.AccessLog.Directory = folder.FullName);
            await using (var driver = await LineDriver.ConnectAsync(Connector(application), "mysql"))
            {
                await driver.AskAsync("NAME");
            }

            await application.GetRequiredService<MeshAccessLogs>().FlushAsync(CancellationToken.None).OrHang();
            (await File.ReadAllLinesAsync(Path.Combine(folder.FullName, "access.log"))).ShouldHaveSingleItem().ShouldMatch(
                "^\\[[-0-9]{10}T[:0-9]{8}\\.\\d{3}Z\\] \"- - -\" 0 - - - \"-\" 5 3 (\\d+|-) - \"-\" \"-\" \"-\" \"-\" "
                + $"\"127\\.0\\.0\\.1:({_v1.Port}|{_v2.Port})\" outbound\\|3306\\|\\|mysql\\.default\\.svc\\.cluster\\.local 127\\.0\\.0\\.1:\\d+ \\S+ - - -$");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string Pod(string version, int port) => string.Create(CultureInfo.InvariantCulture, $$"""
        ---
        apiVersion: networking.istio.io/v1
        kind: WorkloadEntry
        metadata: {name: mysql-{{version}}}
        spec:
          address: 127.0.0.1
          ports: { tcp-mysql: {{port}} }
          labels: {app: mysql, version: {{version}}}

        """);

    private static string Rule(string tcp) => $$"""
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: mysql}
        spec:
          hosts: [mysql]
          tcp: {{tcp}}
        """;

    private static string[] Lines(IServiceProvider application, string name)
    {
        var text = new ArrayBufferWriter<byte>();
        PrometheusText.Write(application.GetRequiredService<MetricRegistry>(), text, family => family.Name == name);
        return [.. Encoding.UTF8.GetString(text.WrittenSpan).Split('\n').Where(line => line.StartsWith(name, StringComparison.Ordinal))];
    }

    private static IMeshConnector Connector(IServiceProvider application) => application.GetRequiredService<IMeshConnector>();

    private static async Task<Dictionary<string, int>> CountAsync(IMeshConnector connector, int connections)
    {
        var counts = new Dictionary<string, int>();
        for (var i = 0; i < connections; i++)
        {
            await using var driver = await LineDriver.ConnectAsync(connector, "mysql");
            var name = (await driver.AskAsync("NAME"))!;
            counts[name] = counts.GetValueOrDefault(name) + 1;
        }

        return counts;
    }
}
