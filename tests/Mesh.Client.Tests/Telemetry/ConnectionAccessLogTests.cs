using System.Net.Sockets;
using Envoy.Config.Accesslog.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Envoy.Extensions.AccessLoggers.File.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Client.Tests.Tcp;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Telemetry.AccessLogs;
using Mesh.TestNet;
using Microsoft.Extensions.DependencyInjection;
using IstioFormats = Mesh.ControlPlane.Generators.Signals.AccessLogFormats;

namespace Mesh.Client.Tests.Telemetry;

/// <summary>Access logs of connections that this process makes, as their chain (<c>tcp_proxy.access_log</c>) and their listener ask for them.</summary>
public sealed class ConnectionAccessLogTests : IDisposable
{
    private const string Brief = "%ACCESS_LOG_TYPE% %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %UPSTREAM_CLUSTER% %UPSTREAM_HOST% %BYTES_RECEIVED% %BYTES_SENT% %UPSTREAM_REQUEST_ATTEMPT_COUNT%\n";

    private readonly string _directory = Directory.CreateTempSubdirectory("mesh-access-log-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task A_connection_is_logged_at_its_end_in_Istios_format()
    {
        await using var server = new LineServer("mysql-1");
        await using var mesh = Create().SetCluster("mysql").SetEndpoints("mysql", server.Port).Listen(Chain("mysql", Log("tcp", IstioFormats.IstioText)));

        await using (var driver = await LineDriver.ConnectAsync(mesh.Connector(), TcpRules.Host))
        {
            (await driver.AskAsync("NAME")).ShouldBe("mysql-1");
            (await LinesAsync(mesh, "tcp")).ShouldBeEmpty();
        }

        (await LinesAsync(mesh, "tcp")).ShouldHaveSingleItem().ShouldMatch(
            $"^\\[[-0-9]{{10}}T[:0-9]{{8}}\\.\\d{{3}}Z\\] \"- - -\" 0 - - - \"-\" 5 8 \\d+ - \"-\" \"-\" \"-\" \"-\" \"127\\.0\\.0\\.1:{server.Port}\" mysql 127\\.0\\.0\\.1:\\d+ - - - -$");
    }

    [Fact]
    public async Task Its_listener_logs_it_as_well_and_a_filter_says_which()
    {
        await using var server = new LineServer("mysql-1");
        await using var mesh = Create().SetCluster("mysql").SetEndpoints("mysql", server.Port);
        mesh.Listen($"tcp://{TcpRules.Host}:3306", listener => listener.AccessLog.Add([Log("all", Brief), OfNoChain("none")]), Chain("mysql", Log("tcp", Brief)));

        await using (var driver = await LineDriver.ConnectAsync(mesh.Connector(), TcpRules.Host))
        {
            await driver.AskAsync("NAME");
        }

        (await LinesAsync(mesh, "tcp")).ShouldBe([$"TcpConnectionEnd 0 - - mysql 127.0.0.1:{server.Port} 5 8 1"]);
        (await LinesAsync(mesh, "all")).ShouldBe([$"TcpConnectionEnd 0 - - mysql 127.0.0.1:{server.Port} 5 8 1"]);
        (await LinesAsync(mesh, "none")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_connection_that_no_chain_is_for_is_its_listeners_alone()
    {
        await using var mesh = Create().SetCluster("mysql").SetEndpoints("mysql", 1);
        var elsewhere = new FilterChainMatch { DestinationPort = 3307 };
        mesh.Listen($"tcp://{TcpRules.Host}:3306", listener => listener.AccessLog.Add(OfNoChain("none")), Chain("mysql", Log("tcp", Brief), elsewhere));

        await Should.ThrowAsync<SocketException>(mesh.Connector().ConnectAsync(TcpRules.Host, 3306).AsTask().Within());

        (await LinesAsync(mesh, "none")).ShouldBe(["TcpConnectionEnd 0 NR filter_chain_not_found - - 0 0 0"]);
        (await LinesAsync(mesh, "tcp")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_connection_that_cannot_be_made_is_logged_with_its_reason()
    {
        var dead = ClosedPort.Take();
        await using var mesh = Create().SetCluster("mysql").SetEndpoints("mysql", dead).Listen(Chain("mysql", Log("tcp", Brief)));
        await Should.ThrowAsync<SocketException>(mesh.Connector().ConnectAsync(TcpRules.Host, 3306).AsTask().Within());
        mesh.SetEndpoints("mysql");
        await Should.ThrowAsync<SocketException>(mesh.Connector().ConnectAsync(TcpRules.Host, 3306).AsTask().Within());

        (await LinesAsync(mesh, "tcp")).ShouldBe([$"TcpConnectionEnd 0 UF - mysql 127.0.0.1:{dead} 0 0 1", "TcpConnectionEnd 0 UH - mysql - 0 0 0"]);
    }

    [Fact]
    public async Task A_reset_ends_it_and_its_bytes_are_told()
    {
        await using var server = new LineServer();
        await using var mesh = Create().SetCluster("mysql").SetEndpoints("mysql", server.Port).Listen(Chain("mysql", Log("tcp", Brief)));
        await using var driver = await LineDriver.ConnectAsync(mesh.Connector(), TcpRules.Host);
        await driver.SendAsync("DROP");
        await Should.ThrowAsync<IOException>(driver.ReadLineAsync());

        (await LinesAsync(mesh, "tcp")).ShouldBe([$"TcpConnectionEnd 0 - - mysql 127.0.0.1:{server.Port} 5 0 1"]);
    }

    [Fact]
    public async Task Another_log_of_the_listener_is_in_force_for_the_next_connection()
    {
        await using var server = new LineServer("mysql-1");
        await using var mesh = Create().SetCluster("mysql").SetEndpoints("mysql", server.Port);
        foreach (var file in (string[])["first", "second"])
        {
            mesh.Listen($"tcp://{TcpRules.Host}:3306", listener => listener.AccessLog.Add(Log(file, Brief)), Chain("mysql", null));
            await using var driver = await LineDriver.ConnectAsync(mesh.Connector(), TcpRules.Host);
            await driver.AskAsync("NAME");
        }

        (await LinesAsync(mesh, "first")).Length.ShouldBe(1);
        (await LinesAsync(mesh, "second")).Length.ShouldBe(1);
    }

    [Fact]
    public async Task A_connection_that_the_mesh_secures_tells_of_its_TLS_and_its_bytes()
    {
        using var authority = new TestCertificateAuthority();
        await using var server = new LineServer("secure", certificate: authority.Issue("mysql"));
        await using var mesh = Create();
        mesh.Xds.Set(ClusterType.Instance, TlsTests.Secure(authority));
        mesh.SetEndpoints("mysql", server.Port).Listen(Chain("mysql", Log("tcp",
            "%UPSTREAM_TLS_VERSION% %UPSTREAM_TLS_CIPHER% %UPSTREAM_SERVER_NAME% %UPSTREAM_PEER_DNS_SAN% %UPSTREAM_PEER_URI_SAN% %UPSTREAM_LOCAL_URI_SAN% %UPSTREAM_PEER_CERT_V_END(%Y)% "
            + "%UPSTREAM_WIRE_BYTES_SENT% %UPSTREAM_WIRE_BYTES_RECEIVED% %DOWNSTREAM_WIRE_BYTES_RECEIVED% %UPSTREAM_CONNECTION_ID% %UPSTREAM_CONNECTION_POOL_READY_DURATION% %UPSTREAM_HOSTS_ATTEMPTED%\n")));
        await using (var driver = await LineDriver.ConnectAsync(mesh.Connector(), TcpRules.Host))
        {
            (await driver.AskAsync("NAME")).ShouldBe("secure");
        }

        (await LinesAsync(mesh, "tcp")).ShouldHaveSingleItem().ShouldMatch($"^TLSv1\\.[23] [-_A-Z0-9]+ mysql mysql - - \\d{{4}} 5 7 5 \\d+ \\d+ 127\\.0\\.0\\.1:{server.Port}$");
    }

    [Fact]
    public async Task The_applications_own_log_is_of_requests()
    {
        await using var server = new LineServer("mysql-1");
        var own = Path.Combine(_directory, "own");
        await using var mesh = ClientMesh.Create(options: o => (o.AccessLog.Sink, o.AccessLog.Path) = (MeshAccessLogSink.File, own)).ServeTcp("mysql", server.Port);
        await using (var driver = await LineDriver.ConnectAsync(mesh.Connector(), TcpRules.Host))
        {
            await driver.AskAsync("NAME");
        }

        (await LinesAsync(mesh, "own")).ShouldBeEmpty();
    }

    private static FilterChain Chain(string cluster, AccessLog? log, FilterChainMatch? match = null)
    {
        var proxy = TcpRules.To(cluster);
        if (log is not null)
        {
            proxy.AccessLog.Add(log);
        }

        return TcpRules.Chain(proxy, match);
    }

    private static AccessLog Log(string file, string format)
        => new() { Name = "test", TypedConfig = Any.Pack(new FileAccessLog { Path = file, LogFormat = new SubstitutionFormatString { TextFormatSource = new DataSource { InlineString = format } } }) };

    // As Istio has it on its listeners.
    private static AccessLog OfNoChain(string file)
    {
        var log = Log(file, Brief);
        log.Filter = new Envoy.Config.Accesslog.V3.AccessLogFilter { ResponseFlagFilter = new ResponseFlagFilter { Flags = { "NR" } } };
        return log;
    }

    private ClientMesh Create() => ClientMesh.Create(options: o => o.AccessLog.Directory = _directory);

    private async Task<string[]> LinesAsync(ClientMesh mesh, string file)
    {
        await mesh.Services.GetRequiredService<MeshAccessLogs>().FlushAsync(default).Within();
        var path = Path.Combine(_directory, file);
        return File.Exists(path) ? await File.ReadAllLinesAsync(path) : [];
    }
}
