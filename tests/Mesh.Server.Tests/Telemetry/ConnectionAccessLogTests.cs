using System.Net;
using System.Net.Sockets;
using System.Text;
using Envoy.Config.Accesslog.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Rbac.V3;
using Envoy.Extensions.AccessLoggers.File.V3;
using Envoy.Extensions.Filters.Network.TcpProxy.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Telemetry.AccessLogs;
using Mesh.Server.Tests.Inbound;
using Microsoft.Extensions.DependencyInjection;
using Filter = Envoy.Config.Listener.V3.Filter;
using NetworkRbac = Envoy.Extensions.Filters.Network.Rbac.V3.RBAC;

namespace Mesh.Server.Tests.Telemetry;

/// <summary>Access logs of connections that come in: those that the application gets as they are, and those that are not let in.</summary>
public sealed class ConnectionAccessLogTests : IDisposable
{
    private const string Request = "GET /who HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

    private const string Brief = "%ACCESS_LOG_TYPE% %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% %DOWNSTREAM_TRANSPORT_FAILURE_REASON% %UPSTREAM_CLUSTER% %BYTES_RECEIVED% %BYTES_SENT%\n";

    private readonly string _directory = Directory.CreateTempSubdirectory("mesh-access-log-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task A_connection_is_logged_at_its_end_with_its_bytes_and_both_addresses()
    {
        await using var app = await StartAsync();
        app.Set(Listeners.Listener(app.EndPoint, PassOn(new FilterChainMatch(), null, Log("tcp", "%PROTOCOL% %RESPONSE_CODE% %BYTES_RECEIVED% %BYTES_SENT% %DOWNSTREAM_REMOTE_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DURATION%\n"))));
        string remote;
        long sent;
        using (var caller = new TcpClient())
        {
            await caller.ConnectAsync(app.EndPoint);
            remote = $"127.0.0.1:{((IPEndPoint)caller.Client.LocalEndPoint!).Port}";
            sent = await AskAsync(caller.GetStream());
        }

        (await LineAsync(app, "tcp")).ShouldMatch($"^- 0 {Request.Length} {sent} {remote} {app.EndPoint} \\d+$");
    }

    [Fact]
    public async Task Mutual_TLS_tells_who_it_was()
    {
        await using var app = await StartAsync();
        app.Set(Listeners.Listener(app.EndPoint, PassOn(new FilterChainMatch(), app.Tls(), Log("tcp", "%DOWNSTREAM_PEER_URI_SAN% %DOWNSTREAM_TLS_VERSION% %BYTES_RECEIVED%\n"))));
        using (var caller = new TcpClient())
        {
            await caller.ConnectAsync(app.EndPoint);
            await using var tls = await MeshCaller.SecureAsync(caller.GetStream(), app.Workload(), "istio");
            await AskAsync(tls);
        }

        (await LineAsync(app, "tcp")).ShouldMatch($"^spiffe://cluster\\.local/ns/default/sa/client TLSv1\\.\\d {Request.Length}$");
    }

    [Fact]
    public async Task Mutual_TLS_tells_who_signed_for_the_caller_and_as_whom_this_end_was_seen()
    {
        await using var app = await StartAsync();
        app.Set(Listeners.Listener(app.EndPoint, PassOn(new FilterChainMatch(), app.Tls(), Log("tcp",
            "%FILTER_CHAIN_NAME% %CONNECTION_ID% %DOWNSTREAM_LOCAL_URI_SAN% %DOWNSTREAM_LOCAL_DNS_SAN% %DOWNSTREAM_PEER_ISSUER_FINGERPRINT_256% %DOWNSTREAM_PEER_ISSUER_SERIAL% "
            + "%DOWNSTREAM_HANDSHAKE_DURATION% %DOWNSTREAM_WIRE_BYTES_RECEIVED% %UPSTREAM_TLS_VERSION%\n"))));
        using (var caller = new TcpClient())
        {
            await caller.ConnectAsync(app.EndPoint);
            await using var tls = await MeshCaller.SecureAsync(caller.GetStream(), app.Workload(), "istio");
            await AskAsync(tls);
        }

        using var authority = System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPem(app.Authority.Pem);
        var fingerprint = authority.GetCertHashString(System.Security.Cryptography.HashAlgorithmName.SHA256).ToLowerInvariant();
        (await LineAsync(app, "tcp")).ShouldMatch(
            $"^tcp [1-9]\\d* spiffe://cluster\\.local/ns/default/sa/server - {fingerprint} {authority.SerialNumber.ToLowerInvariant()} \\d+ {Request.Length} -$");
    }

    [Fact]
    public async Task A_connection_that_a_policy_refuses_is_logged_with_the_policy()
    {
        await using var app = await StartAsync();
        var chain = PassOn(new FilterChainMatch(), null, Log("tcp", Brief));
        var rules = new RBAC
        {
            Action = RBAC.Types.Action.Deny,
            Policies = { ["ns[a]-policy[no body]-rule[0]"] = new Policy { Permissions = { new Permission { Any = true } }, Principals = { new Principal { Any = true } } } },
        };
        chain.Filters.Insert(0, new Filter { Name = "rbac", TypedConfig = Any.Pack(new NetworkRbac { StatPrefix = "tcp.", Rules = rules }) });
        app.Set(Listeners.Listener(app.EndPoint, chain));
        await RefusedAsync(app, Request);

        (await LineAsync(app, "tcp")).ShouldBe("TcpConnectionEnd 0 - - rbac_access_denied_matched_policy[ns[a]-policy[no_body]-rule[0]] - InboundPassthroughCluster 0 0");
    }

    [Fact]
    public async Task A_connection_that_no_chain_is_for_is_its_listeners_alone()
    {
        await using var app = await StartAsync();
        var listener = Listeners.Listener(app.EndPoint, PassOn(new FilterChainMatch { TransportProtocol = "tls" }, app.Tls(), Log("tcp", Brief)));
        var none = Log("listener", Brief);
        none.Filter = new Envoy.Config.Accesslog.V3.AccessLogFilter { ResponseFlagFilter = new ResponseFlagFilter { Flags = { "NR" } } };
        listener.AccessLog.Add(none);
        app.Set(listener);
        await RefusedAsync(app, Request);

        (await LineAsync(app, "listener")).ShouldBe("TcpConnectionEnd 0 NR filter_chain_not_found - - - 0 0");
        File.Exists(Path.Combine(_directory, "tcp")).ShouldBeFalse();
    }

    [Fact]
    public async Task A_connection_whose_TLS_fails_is_logged_with_the_reason()
    {
        await using var app = await StartAsync();
        app.Set(Listeners.Listener(app.EndPoint, PassOn(new FilterChainMatch(), app.Tls(), Log("tcp", Brief))));
        await RefusedAsync(app, Request);

        (await LineAsync(app, "tcp")).ShouldBe("TcpConnectionEnd 0 - - - it_is_plain_text,_and_the_port_asks_for_TLS InboundPassthroughCluster 0 0");
    }

    [Fact]
    public async Task A_listener_logs_connections_with_requests_as_well()
    {
        await using var app = await StartAsync();
        var listener = Listeners.Listener(app.EndPoint, Listeners.Http("plain", new FilterChainMatch(), null));
        listener.AccessLog.Add(Log("listener", Brief));
        app.Set(listener);
        long sent;
        using (var caller = new TcpClient())
        {
            await caller.ConnectAsync(app.EndPoint);
            sent = await AskAsync(caller.GetStream());
        }

        (await LineAsync(app, "listener")).ShouldBe($"TcpConnectionEnd 0 - - - - - {Request.Length} {sent}");
    }

    private static FilterChain PassOn(FilterChainMatch match, Envoy.Extensions.TransportSockets.Tls.V3.DownstreamTlsContext? tls, AccessLog log)
    {
        var chain = Listeners.PassOn("tcp", match, tls);
        var proxy = chain.Filters[0].TypedConfig.Unpack<TcpProxy>();
        proxy.AccessLog.Add(log);
        chain.Filters[0].TypedConfig = Any.Pack(proxy);
        return chain;
    }

    private static AccessLog Log(string file, string format)
        => new() { Name = "test", TypedConfig = Any.Pack(new FileAccessLog { Path = file, LogFormat = new SubstitutionFormatString { TextFormatSource = new DataSource { InlineString = format } } }) };

    private static async Task RefusedAsync(InboundApp app, string request)
    {
        using var caller = new TcpClient();
        try
        {
            await caller.ConnectAsync(app.EndPoint);
            await caller.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request));
            (await caller.GetStream().ReadAsync(new byte[1]).AsTask().WaitAsync(TimeSpan.FromSeconds(30))).ShouldBe(0);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // Refused with a reset, which may be there before the caller knows that it is connected.
        }
    }

    private static async Task<long> AskAsync(Stream stream)
    {
        await stream.WriteAsync(Encoding.ASCII.GetBytes(Request));
        var answer = new MemoryStream();
        await stream.CopyToAsync(answer).WaitAsync(TimeSpan.FromSeconds(30));
        Encoding.ASCII.GetString(answer.ToArray()).ShouldStartWith("HTTP/1.1 200");
        return answer.Length;
    }

    private async Task<InboundApp> StartAsync() => await InboundApp.StartAsync(mesh: options => options.AccessLog.Directory = _directory);

    // The server ends a connection on threads of its own, and a file is there before its first line is.
    private async Task<string> LineAsync(InboundApp app, string file)
    {
        var path = Path.Combine(_directory, file);
        var logs = app.App.Services.GetRequiredService<MeshAccessLogs>();
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!(File.Exists(path) && (await File.ReadAllTextAsync(path, guard.Token)).EndsWith('\n')))
        {
            await Task.Delay(5, guard.Token);
            await logs.FlushAsync(guard.Token);
        }

        return (await File.ReadAllLinesAsync(path)).ShouldHaveSingleItem();
    }
}
