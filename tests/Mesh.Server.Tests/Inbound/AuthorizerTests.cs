using System.Net;
using System.Text;
using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Rbac.V3;
using Envoy.Extensions.Filters.Http.ExtAuthz.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Envoy.Service.Auth.V3;
using Envoy.Type.Matcher.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Client.Tests.Filters;
using Mesh.Client.Tests.Servers;
using Mesh.DataPlane.Resources;
using Microsoft.Extensions.DependencyInjection;
using HttpProtocolOptions = Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions;
using RBAC = Envoy.Extensions.Filters.Http.Rbac.V3.RBAC;
using Resources = Mesh.DataPlane.Tests.Resources;

namespace Mesh.Server.Tests.Inbound;

/// <summary>A server that asks an external authorizer about what comes in: real sockets, mutual TLS, a real gRPC server.</summary>
public sealed class AuthorizerTests : IAsyncDisposable
{
    private const string Cluster = "outbound|9191||opa.default.svc.cluster.local";

    private readonly List<CheckRequest> _checks = [];
    private WebServer? _authorizer;

    public async ValueTask DisposeAsync()
    {
        if (_authorizer is not null)
        {
            await _authorizer.DisposeAsync();
        }
    }

    [Fact]
    public async Task The_authorizer_is_told_who_the_caller_has_proven_to_be_and_decides()
    {
        await using var app = await StartAsync(m => m.IncludePeerCertificate = true);
        using var client = MeshCaller.Secure(app.Port, app.Workload(), "istio-http/1.1");

        var allowed = await client.GetAsync("/who?a=b");
        var denied = await client.GetAsync("/who?denied");

        allowed.StatusCode.ShouldBe(HttpStatusCode.OK);
        (denied.StatusCode, await denied.Content.ReadAsStringAsync()).ShouldBe((HttpStatusCode.Forbidden, "not you"));
        var context = _checks[0].Attributes;
        context.Source.Principal.ShouldBe("spiffe://cluster.local/ns/default/sa/client");
        Uri.UnescapeDataString(context.Source.Certificate).ShouldStartWith("-----BEGIN CERTIFICATE-----");
        context.Source.Address.SocketAddress.Address.ShouldBe("127.0.0.1");
        context.Destination.Principal.ShouldBe("spiffe://cluster.local/ns/default/sa/default");
        context.Destination.Address.SocketAddress.PortValue.ShouldBe((uint)app.Port);
        (context.Request.Http.Path, context.Request.Http.Method, context.Request.Http.Protocol).ShouldBe(("/who?a=b", "GET", "HTTP/1.1"));
    }

    [Theory]
    [InlineData(3, "012", "true")]
    [InlineData(10, "0123456789", "false")]
    public async Task The_beginning_of_a_body_is_told_and_the_application_reads_all_of_it(uint limit, string told, string isPartial)
    {
        await using var app = await StartAsync(m => m.WithRequestBody = new BufferSettings { MaxRequestBytes = limit, AllowPartialMessage = true });
        using var client = MeshCaller.Secure(app.Port, app.Workload(), "istio-h2", http2: true);

        foreach (var content in new HttpContent[] { new StringContent("0123456789"), new StreamContent(new NoLength(Encoding.UTF8.GetBytes("0123456789"))) })
        {
            var response = await client.PostAsync("/echo", content);

            (await response.Content.ReadAsStringAsync()).ShouldBe("0123456789");
            var http = _checks[^1].Attributes.Request.Http;
            (http.Body, http.Headers["x-envoy-auth-partial-body"]).ShouldBe((told, isPartial));
        }
    }

    [Fact]
    public async Task Nobody_is_let_in_before_it_is_known_where_the_authorizer_is_and_nobody_passes_when_it_is_nowhere()
    {
        await using var app = await StartAsync(_ => { }, isThere: false);
        using var client = MeshCaller.Secure(app.Port, app.Workload(), "istio-http/1.1");
        var waiting = client.GetAsync("/who");

        app.Xds.Remove(ClusterType.Instance, Cluster);

        (await waiting).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task A_listener_whose_secrets_are_known_already_waits_for_the_authorizer_all_the_same()
    {
        await using var app = await StartAsync(_ => { }, isThere: false, app =>
        {
            app.Set(Listeners.CertificateSecret("cert", app.Workload("server")));
            app.Set(Listeners.TrustSecret("trust", app.Authority.Pem));
            return Listeners.Tls("cert", "trust");
        });
        var ports = app.App.Services.GetRequiredService<DataPlane.Inbound.InboundPorts>();
        var settled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        ports.Changed += () => settled.TrySetResult();
        (app.Listener.Current, ports.HeldBack).ShouldBe((null, 1));

        app.Xds.Remove(ClusterType.Instance, Cluster);

        await settled.Task.WaitAsync(TimeSpan.FromSeconds(30));
        ports.HeldBack.ShouldBe(0);
        using var client = MeshCaller.Secure(app.Port, app.Workload(), "istio-http/1.1");
        (await client.GetAsync("/who")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task Only_what_a_CUSTOM_policy_marks_is_asked_about()
    {
        var marks = new RBAC
        {
            ShadowRulesStatPrefix = "istio_ext_authz_",
            ShadowRules = new()
            {
                Action = Envoy.Config.Rbac.V3.RBAC.Types.Action.Deny,
                Policies =
                {
                    ["istio-ext-authz-opa-ns[default]-policy[custom]-rule[0]"] = new()
                    {
                        Permissions = { new Permission { UrlPath = new PathMatcher { Path = new StringMatcher { Exact = "/echo" } } } },
                        Principals = { new Principal { Any = true } },
                    },
                },
            },
        };
        await using var app = await StartAsync(
            m => m.FilterEnabledMetadata = new MetadataMatcher
            {
                Filter = "envoy.filters.http.rbac",
                Path = { new MetadataMatcher.Types.PathSegment { Key = "istio_ext_authz_shadow_effective_policy_id" } },
                Value = new ValueMatcher { StringMatch = new StringMatcher { Prefix = "istio-ext-authz-opa" } },
            },
            before: new HttpFilter { Name = "envoy.filters.http.rbac", TypedConfig = Any.Pack(marks) });
        using var client = MeshCaller.Secure(app.Port, app.Workload(), "istio-http/1.1");

        (await client.GetAsync("/who?denied")).StatusCode.ShouldBe(HttpStatusCode.OK);
        _checks.ShouldBeEmpty();
        (await client.PostAsync("/echo?denied", new StringContent("x"))).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await client.PostAsync("/%65cho?denied", new StringContent("x"))).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        _checks.Count.ShouldBe(2);
    }

    private async Task<InboundApp> StartAsync(Action<ExtAuthz> change, bool isThere = true, Func<InboundApp, DownstreamTlsContext>? tls = null, params HttpFilter[] before)
    {
        _authorizer = await AuthorizerServer.StartAsync(request =>
        {
            _checks.Add(request);
            return Task.FromResult(request.Attributes.Request.Http.Path.Contains("denied")
                ? new CheckResponse { Status = new() { Code = 7 }, DeniedResponse = new() { Body = "not you" } }
                : new CheckResponse());
        });
        var app = await InboundApp.StartAsync();
        var cluster = Resources.Cluster(Cluster);
        cluster.TypedExtensionProtocolOptions.Add(
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions", Any.Pack(new HttpProtocolOptions { ExplicitHttpConfig = new() { Http2ProtocolOptions = new() } }));
        if (isThere)
        {
            app.Xds.Set(ClusterType.Instance, cluster);
            app.Xds.Set(EndpointsType.Instance, Resources.Endpoints(Cluster, _authorizer.Port));
        }

        var filter = new ExtAuthz
        {
            TransportApiVersion = ApiVersion.V3,
            GrpcService = new GrpcService
            {
                EnvoyGrpc = new() { ClusterName = Cluster, Authority = "opa.default.svc.cluster.local" },
                Timeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(30)),
            },
        };
        change(filter);
        app.Set(Listeners.Listener(
            app.EndPoint,
            Listeners.Http("tls", new FilterChainMatch(), tls?.Invoke(app) ?? app.Tls(), [.. before, new HttpFilter { Name = "envoy.filters.http.ext_authz", TypedConfig = Any.Pack(filter) }])));
        return app;
    }

    private sealed class NoLength(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }
}
