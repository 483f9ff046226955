using System.Collections.Concurrent;
using System.Net;
using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Rbac.V3;
using Envoy.Extensions.Filters.Network.ExtAuthz.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Envoy.Service.Auth.V3;
using Envoy.Type.Matcher.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.Client.Tests.Filters;
using Mesh.Client.Tests.Servers;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Tests.Telemetry.Metrics;
using Mesh.Xds.Metrics;
using Microsoft.Extensions.DependencyInjection;
using HttpProtocolOptions = Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions;
using NetworkRbac = Envoy.Extensions.Filters.Network.Rbac.V3.RBAC;
using Resources = Mesh.DataPlane.Tests.Resources;

namespace Mesh.Server.Tests.Inbound;

/// <summary>A server that asks an external authorizer about connections, of whose bytes it knows nothing: real sockets, mutual TLS, a real gRPC server.</summary>
public sealed class ConnectionAuthorizerTests : IAsyncDisposable
{
    private const string Cluster = "outbound|9191||opa.default.svc.cluster.local";

    private readonly ConcurrentQueue<CheckRequest> _checks = [];
    private WebServer? _authorizer;
    private DownstreamTlsContext? _tls;

    public async ValueTask DisposeAsync()
    {
        if (_authorizer is not null)
        {
            await _authorizer.DisposeAsync();
        }
    }

    [Fact]
    public async Task The_authorizer_is_told_who_has_connected_and_decides_once()
    {
        await using var app = await StartAsync();
        Set(app, Filter(m => (m.IncludePeerCertificate, m.IncludeTlsSession) = (true, true)));

        using var client = MeshCaller.Secure(app.Port, app.Workload(), "istio");
        (await client.GetAsync("/who")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await client.GetAsync("/who")).StatusCode.ShouldBe(HttpStatusCode.OK);
        using var denied = MeshCaller.Secure(app.Port, app.Workload("denied"), "istio");
        await Should.ThrowAsync<HttpRequestException>(denied.GetAsync("/who"));

        var context = _checks.First().Attributes;
        _checks.Count(c => c.Attributes.Source.Principal == "spiffe://cluster.local/ns/default/sa/client").ShouldBe(1, "it is the same connection");
        context.Request.ShouldBeNull();
        Uri.UnescapeDataString(context.Source.Certificate).ShouldStartWith("-----BEGIN CERTIFICATE-----");
        context.Source.Address.SocketAddress.Address.ShouldBe("127.0.0.1");
        context.Destination.Address.SocketAddress.PortValue.ShouldBe((uint)app.Port);
        context.TlsSession.ShouldNotBeNull();
        app.Logs.Lines.ShouldContain(line => line.Contains("Denied a connection") && line.Contains("sa/denied") && line.Contains(Cluster));
        Counted(app).ShouldBe(["cx_closed 1", "denied 1", "ok 1", "total 2"]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Who_cannot_be_asked_about_is_refused_unless_failures_let_pass(bool isOpen)
    {
        await using var app = await StartAsync(request => throw new InvalidOperationException("It does not know either."));
        Set(app, Filter(m => m.FailureModeAllow = isOpen));
        using var client = MeshCaller.Secure(app.Port, app.Workload(), "istio");

        if (isOpen)
        {
            (await client.GetAsync("/who")).StatusCode.ShouldBe(HttpStatusCode.OK);
        }
        else
        {
            await Should.ThrowAsync<HttpRequestException>(client.GetAsync("/who"));
        }

        Counted(app).ShouldBe(isOpen ? ["error 1", "failure_mode_allowed 1", "total 1"] : ["cx_closed 1", "error 1", "total 1"]);
        app.Logs.Lines.ShouldContain(line => line.Contains($"The authorizer {Cluster} cannot be asked about a connection, which {(isOpen ? "passes" : "is refused")}"));
    }

    [Fact]
    public async Task Only_what_a_CUSTOM_policy_marks_is_asked_about()
    {
        await using var app = await StartAsync();
        var marks = new NetworkRbac
        {
            StatPrefix = "tcp.",
            ShadowRulesStatPrefix = "istio_ext_authz_",
            ShadowRules = new()
            {
                Action = RBAC.Types.Action.Deny,
                Policies =
                {
                    ["istio-ext-authz-opa-ns[default]-policy[custom]-rule[0]"] = new()
                    {
                        Permissions = { new Permission { Any = true } },
                        Principals = { new Principal { Authenticated = new() { PrincipalName = new StringMatcher { Suffix = "/denied" } } } },
                    },
                },
            },
        };
        Set(
            app,
            new Filter { Name = "envoy.filters.network.rbac", TypedConfig = Any.Pack(marks) },
            Filter(m => m.FilterEnabledMetadata = new MetadataMatcher
            {
                Filter = "envoy.filters.network.rbac",
                Path = { new MetadataMatcher.Types.PathSegment { Key = "istio_ext_authz_shadow_effective_policy_id" } },
                Value = new ValueMatcher { StringMatch = new StringMatcher { Prefix = "istio-ext-authz-opa" } },
            }));

        using var client = MeshCaller.Secure(app.Port, app.Workload(), "istio");
        (await client.GetAsync("/who")).StatusCode.ShouldBe(HttpStatusCode.OK);
        _checks.ShouldBeEmpty();
        using var denied = MeshCaller.Secure(app.Port, app.Workload("denied"), "istio");
        await Should.ThrowAsync<HttpRequestException>(denied.GetAsync("/who"));
        _checks.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_connection_that_was_let_in_without_being_asked_about_is_drained()
    {
        await using var app = await StartAsync();
        Set(app);
        using var client = MeshCaller.Secure(app.Port, app.Workload(), "istio");
        (await client.GetAsync("/who")).StatusCode.ShouldBe(HttpStatusCode.OK);
        var connection = app.Listener.Connections.ShouldHaveSingleItem();

        Set(app, Filter(_ => { }));
        await app.UntilAsync(() => connection.IsDraining);

        using var another = MeshCaller.Secure(app.Port, app.Workload(), "istio");
        (await another.GetAsync("/who")).StatusCode.ShouldBe(HttpStatusCode.OK);
        var asked = app.Listener.Connections.First(c => c != connection);
        Set(app, Filter(_ => { }));
        asked.IsDraining.ShouldBeFalse("it has been asked about");
    }

    [Fact]
    public async Task Who_leaves_while_the_authorizer_thinks_takes_the_question_along()
    {
        var (asked, left) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var app = await StartAsync(async (_, aborted) =>
        {
            asked.TrySetResult();
            using var end = aborted.Register(() => left.TrySetResult());
            await left.Task;
            return new CheckResponse();
        });
        Set(app, Filter(_ => { }));
        using (var client = MeshCaller.Secure(app.Port, app.Workload(), "istio"))
        using (var leaving = new CancellationTokenSource())
        {
            var waiting = client.GetAsync("/who", leaving.Token);
            await asked.Task.WaitAsync(TimeSpan.FromSeconds(30));
            await leaving.CancelAsync();
            await Should.ThrowAsync<OperationCanceledException>(waiting);
        }

        await left.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Theory]
    [InlineData("""{"statPrefix":"a","transportApiVersion":"V3"}""", "grpc_service")]
    [InlineData("""{"statPrefix":"a","grpcService":{"envoyGrpc":{"clusterName":"a"}}}""", "transport_api_version")]
    [InlineData("""{"grpcService":{"envoyGrpc":{"clusterName":"a"}},"transportApiVersion":"V3"}""", "stat_prefix")]
    [InlineData("""{"statPrefix":"a","grpcService":{"googleGrpc":{"targetUri":"a","statPrefix":"a"}},"transportApiVersion":"V3"}""", "grpc_service.google_grpc")]
    [InlineData("""{"statPrefix":"a","grpcService":{"envoyGrpc":{"clusterName":"a"},"initialMetadata":[{"key":"a","value":"b"}]},"transportApiVersion":"V3"}""", "grpc_service.initial_metadata")]
    [InlineData("""{"statPrefix":"a","grpcService":{"envoyGrpc":{"clusterName":"a"}},"transportApiVersion":"V3","typedMetadataContextNamespaces":["a"]}""", "typed_metadata_context_namespaces")]
    public void What_would_be_left_out_is_refused(string json, string field)
    {
        var filter = new Filter { Name = "f", TypedConfig = Any.Pack(JsonParser.Default.Parse<ExtAuthz>(json)) };

        Should.Throw<Mesh.Xds.Client.ResourceRejectedException>(() => DataPlane.Inbound.NetworkFilterCompiler.Compile(filter, "filters[0]", []))
            .Field.ShouldBe($"filters[0].typed_config.{field}");
    }

    // What is not zero, without what is the same in all of them.
    private static IEnumerable<string> Counted(InboundApp app)
        => Exposition.Lines(app.App.Services.GetRequiredService<MetricRegistry>(), "envoy_ext_authz_").Where(line => !line.EndsWith(" 0", StringComparison.Ordinal))
            .Select(line => line["envoy_ext_authz_".Length..].Replace("{envoy_ext_authz_prefix=\"tcp\"}", "", StringComparison.Ordinal));

    private static Filter Filter(Action<ExtAuthz> change)
    {
        var filter = new ExtAuthz
        {
            StatPrefix = "tcp.",
            TransportApiVersion = ApiVersion.V3,
            GrpcService = new GrpcService
            {
                EnvoyGrpc = new() { ClusterName = Cluster, Authority = "opa.default.svc.cluster.local" },
                Timeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(30)),
            },
        };
        change(filter);
        return new Filter { Name = "envoy.filters.network.ext_authz", TypedConfig = Any.Pack(filter) };
    }

    // The same certificate each time: another one would be reason enough to drain.
    private void Set(InboundApp app, params Filter[] filters)
    {
        var chain = Listeners.PassOn("tls", new FilterChainMatch(), _tls ??= app.Tls());
        for (var i = 0; i < filters.Length; i++)
        {
            chain.Filters.Insert(i, filters[i]);
        }

        app.Set(Listeners.Listener(app.EndPoint, chain));
    }

    private async Task<InboundApp> StartAsync(Func<CheckRequest, CancellationToken, Task<CheckResponse>>? check = null)
    {
        _authorizer = await AuthorizerServer.StartAsync((request, aborted) =>
        {
            _checks.Enqueue(request);
            return check?.Invoke(request, aborted)
                ?? Task.FromResult(new CheckResponse { Status = new() { Code = request.Attributes.Source.Principal.EndsWith("/denied", StringComparison.Ordinal) ? 7 : 0 } });
        });
        var app = await InboundApp.StartAsync();
        var cluster = Resources.Cluster(Cluster);
        cluster.TypedExtensionProtocolOptions.Add(
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions", Any.Pack(new HttpProtocolOptions { ExplicitHttpConfig = new() { Http2ProtocolOptions = new() } }));
        app.Xds.Set(ClusterType.Instance, cluster);
        app.Xds.Set(EndpointsType.Instance, Resources.Endpoints(Cluster, _authorizer.Port));
        return app;
    }

    private Task<InboundApp> StartAsync(Func<CheckRequest, Task<CheckResponse>> check) => StartAsync((request, _) => check(request));
}
