using System.Net;
using System.Security.Cryptography;
using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Rbac.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Envoy.Type.Matcher.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Server.Tests.Inbound;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Details = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.Types.ForwardClientCertDetails;
using HttpRbac = Envoy.Extensions.Filters.Http.Rbac.V3.RBAC;

namespace Mesh.Server.Tests.Http;

/// <summary>Requests to a port that the mesh covers, from the first byte of TLS to the application: everything is as in production but the control plane.</summary>
public sealed class CoveredPortRequestsTests
{
    private const string Client = "spiffe://cluster.local/ns/default/sa/client";

    [Theory]
    [InlineData("istio-http/1.1", false)]
    [InlineData("istio-h2", true)]
    public async Task The_application_is_told_who_calls_by_the_certificate_and_not_by_the_header(string alpn, bool http2)
    {
        await using var app = await InboundApp.StartAsync(pipeline: a => a.MapGet("/xfcc", (HttpContext c) => c.Request.Headers["x-forwarded-client-cert"].ToString()));
        Set(app, m =>
        {
            m.ForwardClientCertDetails = Details.SanitizeSet;
            m.SetCurrentClientCertDetails = new() { Uri = true };
        });
        var certificate = app.Workload();
        using var client = MeshCaller.Secure(app.Port, certificate, alpn, http2);
        client.DefaultRequestHeaders.TryAddWithoutValidation("x-forwarded-client-cert", "URI=spiffe://cluster.local/ns/default/sa/admin");

        (await client.GetStringAsync("/xfcc")).ShouldBe(
            $"By=spiffe://cluster.local/ns/default/sa/server;Hash={Convert.ToHexStringLower(SHA256.HashData(certificate.RawData))};URI={Client}");
    }

    [Theory]
    [InlineData("istio-http/1.1", false)]
    [InlineData("istio-h2", true)]
    public async Task A_policy_lets_one_workload_in_and_no_other_before_anything_of_the_application(string alpn, bool http2)
    {
        var reached = 0;
        await using var app = await InboundApp.StartAsync(pipeline: a =>
        {
            a.UseExceptionHandler("/error");
            a.Use((context, next) =>
            {
                Interlocked.Increment(ref reached);
                return next(context);
            });
        });
        Set(app, m => m.HttpFilters.Insert(0, Allow("/who", Client)));
        using var friend = MeshCaller.Secure(app.Port, app.Workload(), alpn, http2);
        using var stranger = MeshCaller.Secure(app.Port, app.Workload("stranger"), alpn, http2);

        (await friend.GetStringAsync("/who")).ShouldContain(Client);
        using var denied = await stranger.GetAsync("/who");
        using var elsewhere = await friend.GetAsync("/error");

        (denied.StatusCode, await denied.Content.ReadAsStringAsync(), denied.Content.Headers.ContentLength).ShouldBe((HttpStatusCode.Forbidden, "RBAC: access denied", 19L));
        denied.Content.Headers.ContentType!.MediaType.ShouldBe("text/plain");
        elsewhere.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        reached.ShouldBe(1);
    }

    [Fact]
    public async Task A_policy_that_changes_holds_for_the_next_request_of_a_connection()
    {
        await using var app = await InboundApp.StartAsync();
        var tls = app.Tls();
        Set(app, _ => { }, tls);
        using var client = MeshCaller.Secure(app.Port, app.Workload(), "istio-http/1.1");
        (await client.GetAsync("/who")).StatusCode.ShouldBe(HttpStatusCode.OK);

        Set(app, m => m.HttpFilters.Insert(0, Allow("/other", Client)), tls);

        (await client.GetAsync("/who")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task Headers_can_tell_of_the_connection()
    {
        await using var app = await InboundApp.StartAsync(pipeline: a => a.MapGet("/told", (HttpContext c) => c.Request.Headers["x-told"].ToString()));
        Set(app, m => m.RouteConfig.RequestHeadersToAdd.Add(new HeaderValueOption
        {
            Header = new HeaderValue { Key = "x-told", Value = "%DOWNSTREAM_PEER_URI_SAN% %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %DOWNSTREAM_LOCAL_PORT% %REQUESTED_SERVER_NAME%" },
        }));
        using var client = MeshCaller.Secure(app.Port, app.Workload(), "istio-http/1.1");

        (await client.GetStringAsync("/told")).ShouldBe($"{Client} 127.0.0.1 {app.Port} outbound_.80_._.app.default.svc.cluster.local");
    }

    private static void Set(InboundApp app, Action<HttpConnectionManager> configure, Envoy.Extensions.TransportSockets.Tls.V3.DownstreamTlsContext? tls = null)
    {
        var listener = Listeners.Strict(app.EndPoint, tls ?? app.Tls());
        var filter = listener.FilterChains[0].Filters[^1];
        var manager = filter.TypedConfig.Unpack<HttpConnectionManager>();
        configure(manager);
        filter.TypedConfig = Any.Pack(manager);
        app.Set(listener);
    }

    private static HttpFilter Allow(string path, string principal) => new()
    {
        Name = "rbac",
        TypedConfig = Any.Pack(new HttpRbac
        {
            Rules = new RBAC
            {
                Action = RBAC.Types.Action.Allow,
                Policies =
                {
                    ["allowed"] = new Policy
                    {
                        Permissions = { new Permission { UrlPath = new PathMatcher { Path = new StringMatcher { Exact = path } } } },
                        Principals = { new Principal { Authenticated = new() { PrincipalName = new StringMatcher { Exact = principal } } } },
                    },
                },
            },
        }),
    };
}
