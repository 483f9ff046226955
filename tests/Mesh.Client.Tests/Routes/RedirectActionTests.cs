using System.Net;
using Envoy.Config.Core.V3;
using Envoy.Config.Route.V3;
using Microsoft.Extensions.DependencyInjection;
using static Envoy.Config.Route.V3.RedirectAction.Types;
using static Envoy.Config.Core.V3.HeaderValueOption.Types;
using RouteMatch = Envoy.Config.Route.V3.RouteMatch;

namespace Mesh.Client.Tests.Routes;

/// <summary>Routes that answer themselves: redirects and direct responses.</summary>
public class RedirectActionTests
{
    [Fact]
    public async Task Nothing_but_a_redirect_repeats_the_address() => (await LocationAsync(_ => { })).ShouldBe((301, "http://reviews:9080/old/x?y=1"));

    [Fact]
    public async Task Https_keeps_a_port_that_is_not_the_default() => (await LocationAsync(r => r.HttpsRedirect = true)).ShouldBe((301, "https://reviews:9080/old/x?y=1"));

    [Fact]
    public async Task Another_scheme() => (await LocationAsync(r => r.SchemeRedirect = "ftp")).ShouldBe((301, "ftp://reviews:9080/old/x?y=1"));

    [Fact]
    public async Task Another_host_brings_its_own_port() => (await LocationAsync(r => r.HostRedirect = "new.example")).ShouldBe((301, "http://new.example/old/x?y=1"));

    [Fact]
    public async Task Another_port_replaces_the_requests() => (await LocationAsync(r => r.PortRedirect = 8443)).ShouldBe((301, "http://reviews:8443/old/x?y=1"));

    [Fact]
    public async Task Everything_else() => (await LocationAsync(r =>
    {
        r.HttpsRedirect = true;
        r.HostRedirect = "new.example";
        r.PortRedirect = 8443;
        r.PathRedirect = "/new";
        r.StripQuery = true;
        r.ResponseCode = RedirectResponseCode.PermanentRedirect;
    })).ShouldBe((308, "https://new.example:8443/new"));

    [Fact]
    public async Task Another_path_keeps_the_query_unless_it_has_one()
    {
        (await LocationAsync(r => r.PathRedirect = "/new")).Location.ShouldBe("http://reviews:9080/new?y=1");
        (await LocationAsync(r => r.PathRedirect = "new")).Location.ShouldBe("http://reviews:9080/new?y=1");
        (await LocationAsync(r => r.PathRedirect = "/new?z=2")).Location.ShouldBe("http://reviews:9080/new?z=2");
        (await LocationAsync(r =>
        {
            r.PathRedirect = "/new?z=2";
            r.StripQuery = true;
        })).Location.ShouldBe("http://reviews:9080/new?z=2");
        (await LocationAsync(r => r.StripQuery = true)).Location.ShouldBe("http://reviews:9080/old/x");
        (await LocationAsync(r => r.PathRedirect = "/new#there")).Location.ShouldBe("http://reviews:9080/new#there?y=1");
    }

    [Fact]
    public async Task A_part_of_the_path()
    {
        (await LocationAsync(r => r.PrefixRewrite = "/new")).Location.ShouldBe("http://reviews:9080/new/x?y=1");
        (await LocationAsync(r => r.RegexRewrite = RewriteTests.Regex("^/(.*)/(.*)$", @"/\2/\1"))).Location.ShouldBe("http://reviews:9080/x/old?y=1");
        (await LocationAsync(r => r.PathRewrite = "/by/%REQ(:METHOD)%")).Location.ShouldBe("http://reviews:9080/by/GET?y=1");
    }

    [Theory]
    [InlineData(nameof(RedirectResponseCode.MovedPermanently), 301)]
    [InlineData(nameof(RedirectResponseCode.Found), 302)]
    [InlineData(nameof(RedirectResponseCode.SeeOther), 303)]
    [InlineData(nameof(RedirectResponseCode.TemporaryRedirect), 307)]
    [InlineData(nameof(RedirectResponseCode.PermanentRedirect), 308)]
    public async Task Every_code(string code, int status) => (await LocationAsync(r => r.ResponseCode = Enum.Parse<RedirectResponseCode>(code))).Status.ShouldBe(status);

    // The default port of the scheme that is left goes with it.
    [Theory]
    [InlineData("reviews", "https://reviews/")]
    [InlineData("reviews:80", "https://reviews/")]
    [InlineData("[::1]:80", "https://[::1]/")]
    [InlineData("[::1]:8080", "https://[::1]:8080/")]
    [InlineData("reviews:443", "https://reviews:443/")]
    public void Default_ports_are_derived(string authority, string expected)
        => new DataPlane.Redirects.Redirect { Scheme = "https" }.Location(authority, "http", "/", null, new DataPlane.Formatting.FormatContext(TimeProvider.System)).ShouldBe(expected);

    [Fact]
    public async Task A_clear_text_request_to_a_virtual_host_that_requires_TLS_is_sent_to_https()
    {
        await using var mesh = RoutedMesh.Create().Configure(c => c.VirtualHosts[0].RequireTls = VirtualHost.Types.TlsRequirementType.All);
        using var response = await Raw(mesh, "/old/x?y=1");
        ((int)response.StatusCode, response.Headers.Location!.OriginalString).ShouldBe((301, "https://reviews:9080/old/x?y=1"));
        mesh.Server.Heads.ShouldBeEmpty();

        mesh.Configure(c => c.VirtualHosts[0].RequireTls = VirtualHost.Types.TlsRequirementType.ExternalOnly);
        (await mesh.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_redirect_has_no_body_carries_the_routes_headers_and_tells_its_cause()
    {
        await using var mesh = RoutedMesh.Create();
        var route = Redirecting(r => r.HostRedirect = "new.example");
        route.ResponseHeadersToAdd.Add(RoutedMesh.Header("x-by", "%ROUTE_NAME% %RESPONSE_CODE% %REQ(:PATH)%"));
        mesh.Routes(route);
        using var response = await Raw(mesh, "/old");
        (await response.Content.ReadAsByteArrayAsync()).ShouldBeEmpty();
        response.Content.Headers.ContentType.ShouldBeNull();
        response.Headers.GetValues("x-by").ShouldBe(["moved 301 /old"]);
        response.RequestMessage!.Options.TryGetValue(MeshRequest.ResponseCodeDetails, out var details).ShouldBeTrue();
        details.ShouldBe("direct_response");
    }

    [Fact]
    public async Task HttpClient_follows_the_meshs_redirects()
    {
        await using var mesh = RoutedMesh.Create();
        mesh.Routes(Redirecting(r => r.PathRedirect = "/new"), RoutedMesh.Route());
        using var response = await mesh.GetAsync("/old/x");
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        mesh.Server.Lines[0].ShouldBe("GET /new HTTP/1.1");
    }

    [Fact]
    public async Task A_direct_response_is_plain_text_unless_the_route_says_otherwise()
    {
        await using var mesh = RoutedMesh.Create().Routes(Direct(503, "gone fishing"));
        using (var response = await mesh.GetAsync())
        {
            response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
            response.Content.Headers.ContentType!.ToString().ShouldBe("text/plain");
            (await response.Content.ReadAsStringAsync()).ShouldBe("gone fishing");
        }

        foreach (var action in new[] { HeaderAppendAction.OverwriteIfExistsOrAdd, HeaderAppendAction.AppendIfExistsOrAdd, HeaderAppendAction.AddIfAbsent })
        {
            var json = Direct(200, "{}");
            json.ResponseHeadersToAdd.Add(RoutedMesh.Header("content-type", "application/json", action));
            mesh.Routes(json);
            using var response = await mesh.GetAsync();
            response.Content.Headers.NonValidated["content-type"].ShouldBe(["application/json"]);
            (await response.Content.ReadAsStringAsync()).ShouldBe("{}");
        }
    }

    [Fact]
    public async Task A_direct_response_without_a_body_has_no_type()
    {
        await using var mesh = RoutedMesh.Create().Routes(Direct(204, ""));
        using var response = await mesh.GetAsync();
        response.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        response.Content.Headers.ContentType.ShouldBeNull();
        response.Content.Headers.ContentLength.ShouldBe(0);
    }

    private static Route Redirecting(Action<RedirectAction> change)
    {
        var route = new Route { Name = "moved", Match = new RouteMatch { Prefix = "/old" }, Redirect = new RedirectAction() };
        change(route.Redirect);
        return route;
    }

    private static Route Direct(uint status, string body)
        => new() { Match = new RouteMatch { Prefix = "/" }, DirectResponse = new DirectResponseAction { Status = status, Body = body.Length == 0 ? null : new DataSource { InlineString = body } } };

    private static async Task<(int Status, string Location)> LocationAsync(Action<RedirectAction> change)
    {
        await using var mesh = RoutedMesh.Create().Routes(Redirecting(change));
        using var response = await Raw(mesh, "/old/x?y=1");
        mesh.Server.Heads.ShouldBeEmpty();
        return ((int)response.StatusCode, response.Headers.NonValidated["location"].ToString());
    }

    // Not followed: straight from the engine.
    private static async Task<HttpResponseMessage> Raw(RoutedMesh mesh, string path)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080" + path);
        var host = await mesh.Mesh.Engine.Hosts.ResolveAsync("reviews", 9080, CancellationToken.None);
        return await mesh.Mesh.Engine.Upstream.SendAsync(host!, request, CancellationToken.None).AsTask().Within();
    }
}
