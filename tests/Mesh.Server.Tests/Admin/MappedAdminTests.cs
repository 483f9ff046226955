using System.Net;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Mesh.Server.Tests.Inbound;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Tests.Admin;

/// <summary>The admin among the application's own endpoints, behind the mesh's way in.</summary>
public sealed class MappedAdminTests
{
    [Fact]
    public async Task It_is_not_there_unless_it_is_mapped()
    {
        await using var app = await AdminApp.StartAsync();

        (await GetAsync(app, "/mesh")).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Whoever_calls_directly_from_this_machine_is_answered_and_links_stay_below_it()
    {
        await using var app = await AdminApp.StartAsync(pipeline: a => a.MapMeshAdmin("/mesh"));

        var (status, text) = await GetAsync(app, "/mesh", ("Accept", "text/html"));
        status.ShouldBe(HttpStatusCode.OK);
        text.ShouldContain("href=\"/mesh/clusters\"");
        (await GetAsync(app, "/mesh/clusters")).Text.ShouldContain("outbound|9080||reviews");
        (await GetAsync(app, "/mesh/stats/prometheus")).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Whom_a_proxy_asks_for_gets_404()
    {
        await using var app = await AdminApp.StartAsync(pipeline: a => a.MapMeshAdmin("/mesh"));

        var (status, text) = await GetAsync(app, "/mesh", ("X-Forwarded-For", "127.0.0.1, 10.0.0.9"));
        status.ShouldBe(HttpStatusCode.NotFound);
        text.ShouldBeEmpty();
    }

    [Fact]
    public async Task Believing_forwarded_headers_makes_no_one_local()
    {
        await using var app = await AdminApp.StartAsync(pipeline: a =>
        {
            var options = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.All };
            a.UseForwardedHeaders(options);
            a.MapMeshAdmin("/mesh");
        });

        (await GetAsync(app, "/mesh", ("X-Forwarded-For", "127.0.0.1"))).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Another_host_name_is_refused_and_so_is_a_page_of_another_origin()
    {
        await using var app = await AdminApp.StartAsync(pipeline: a => a.MapMeshAdmin("/mesh"));

        (await GetAsync(app, "/mesh", ("Host", "evil.example"))).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await GetAsync(app, "/mesh", ("Origin", "http://evil.example"))).Status.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task With_authorization_the_application_decides()
    {
        await using var app = await AdminApp.StartAsync(
            after: b =>
            {
                b.Services.AddAuthentication(HeaderAuthentication.Scheme).AddScheme<AuthenticationSchemeOptions, HeaderAuthentication>(HeaderAuthentication.Scheme, null);
                b.Services.AddAuthorization();
            },
            pipeline: a => a.MapMeshAdmin("/mesh").RequireAuthorization());

        (await GetAsync(app, "/mesh")).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await GetAsync(app, "/mesh", ("x-user", "ops"), ("Host", "shop.example.com"), ("X-Forwarded-For", "1.2.3.4"))).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Being_allowed_to_be_anonymous_opens_nothing()
    {
        await using var app = await AdminApp.StartAsync(
            after: b =>
            {
                b.Services.AddAuthentication(HeaderAuthentication.Scheme).AddScheme<AuthenticationSchemeOptions, HeaderAuthentication>(HeaderAuthentication.Scheme, null);
                b.Services.AddAuthorization();
            },
            pipeline: a => a.MapMeshAdmin("/mesh").RequireAuthorization().AllowAnonymous());

        (await GetAsync(app, "/mesh", ("X-Forwarded-For", "1.2.3.4"))).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Metrics_can_be_mapped_alone_and_are_answered_to_whoever_scrapes()
    {
        await using var app = await AdminApp.StartAsync(pipeline: a => a.MapMeshMetrics("/metrics"));

        var (status, _) = await GetAsync(app, "/metrics", ("Host", "reviews.example.com"), ("X-Forwarded-For", "10.0.0.9"));
        status.ShouldBe(HttpStatusCode.OK);
        (await GetAsync(app, "/mesh")).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public void Without_a_mesh_there_is_nothing_to_map()
    {
        var app = WebApplication.CreateBuilder().Build();

        Should.Throw<InvalidOperationException>(() => app.MapMeshAdmin()).Message.ShouldContain("AddMesh()");
        Should.Throw<InvalidOperationException>(() => app.MapMeshMetrics()).Message.ShouldContain("AddMesh()");
    }

    private static async Task<(HttpStatusCode Status, string Text)> GetAsync(AdminApp app, string path, params (string Name, string Value)[] headers)
    {
        using var caller = MeshCaller.Plain(app.Inbound.Port);
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        if (request.Headers.Host is null)
        {
            request.Headers.Host = "localhost";
        }

        using var response = await caller.SendAsync(request);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    /// <summary>Whoever says who he is, is.</summary>
    private sealed class HeaderAuthentication(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        public new const string Scheme = "header";

        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
            => Task.FromResult(Request.Headers["x-user"] is [{ } user]
                ? AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Name, user)], Scheme)), Scheme))
                : AuthenticateResult.NoResult());
    }
}
