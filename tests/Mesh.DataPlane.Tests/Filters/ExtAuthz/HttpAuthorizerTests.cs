using Mesh.DataPlane.Tests.Telemetry.Metrics;
using Mesh.Xds.Metrics;
using Microsoft.Extensions.DependencyInjection;
using System.Net;
using System.Text;
using Envoy.Config.Core.V3;
using Envoy.Extensions.Filters.Http.ExtAuthz.V3;
using Envoy.Type.Matcher.V3;

namespace Mesh.DataPlane.Tests.Filters.ExtAuthz;

public sealed class HttpAuthorizerTests : IAsyncDisposable
{
    private readonly AuthorizerMesh _authz = new();

    public ValueTask DisposeAsync() => _authz.DisposeAsync();

    [Fact]
    public async Task The_authorizer_gets_the_requests_own_line_and_the_headers_that_it_always_gets()
    {
        _authz.Listen(AuthorizerMesh.OverHttp());

        (await _authz.Mesh.SendAsync(HttpMethod.Put, "/books/a%2Fb?id=1", ("authorization", "Bearer t"), ("x-other", "1"))).StatusCode.ShouldBe(HttpStatusCode.OK);

        var check = _authz.AtAuthorizer.ShouldHaveSingleItem();
        (check.Method, check.Path, check.Headers["Host"], check.Headers["Authorization"]).ShouldBe(("PUT", "/books/a%2Fb?id=1", "reviews:9080", "Bearer t"));
        check.Headers["Content-Length"].ShouldBe("0");
        check.Headers.ContainsKey("x-other").ShouldBeFalse();
    }

    [Fact]
    public async Task What_it_says_is_counted()
    {
        var registry = _authz.Mesh.Services.GetRequiredService<MetricRegistry>();
        double Count(string name) => Exposition.Value(registry, $"envoy_http_ext_authz_{name}{{envoy_http_conn_manager_prefix=\"test\",envoy_ext_authz_prefix=\"outer\"}}");
        _authz.Listen(AuthorizerMesh.OverHttp(m => (m.StatPrefix, m.FailureModeAllow) = ("outer", true)));
        (await _authz.Mesh.GetAsync()).Dispose();
        _authz.Http = _ => new HttpResponseMessage(HttpStatusCode.Forbidden);
        (await _authz.Mesh.GetAsync()).Dispose();
        _authz.Http = _ => new HttpResponseMessage(HttpStatusCode.InternalServerError);
        (await _authz.Mesh.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.OK);

        (Count("ok"), Count("denied"), Count("error"), Count("failure_mode_allowed"), Count("disabled"), Count("invalid")).ShouldBe((1, 1, 1, 1, 0, 0));
    }

    [Fact]
    public async Task More_headers_are_told_by_name_and_others_are_added()
    {
        _authz.Listen(AuthorizerMesh.OverHttp(m =>
        {
            m.AllowedHeaders = Names("x-", prefix: true);
            m.HttpService.AuthorizationRequest = new AuthorizationRequest
            {
                HeadersToAdd = { new HeaderValue { Key = "X-Of-The-Mesh", Value = "%REQ(:METHOD)%" }, new HeaderValue { Key = "x-forged", Value = "mesh" } },
            };
        }));

        await _authz.Mesh.GetAsync("/", ("x-a", "1"), ("x-forged", "caller"));

        var headers = _authz.AtAuthorizer.Single().Headers;
        (headers["x-a"], headers["x-of-the-mesh"], headers["x-forged"]).ShouldBe(("1", "GET", "mesh"));
    }

    [Theory]
    [InlineData("/check", "", "/check/books?id=1")]
    [InlineData("", "/verdict", "/verdict")]
    public async Task The_path_may_have_a_prefix_or_be_another(string prefix, string other, string expected)
    {
        _authz.Listen(AuthorizerMesh.OverHttp(m =>
        {
            m.HttpService.PathPrefix = prefix;
            m.HttpService.PathOverride = other;
        }));

        await _authz.Mesh.GetAsync("/books?id=1");

        _authz.AtAuthorizer.Single().Path.ShouldBe(expected);
    }

    [Fact]
    public async Task A_refusal_is_handed_on_with_its_headers()
    {
        _authz.Http = _ => Response(HttpStatusCode.PaymentRequired, "go there", ("location", "https://login.example/"), ("x-trace", "1"), ("set-cookie", "a=1"));
        _authz.Listen(AuthorizerMesh.OverHttp());

        var response = await _authz.Mesh.GetAsync();

        (response.StatusCode, await response.Text(), response.Header("location"), response.Header("x-trace"), response.Header("set-cookie"))
            .ShouldBe((HttpStatusCode.PaymentRequired, "go there", "https://login.example/", "1", "a=1"));
        (response.Flags(), response.Details()).ShouldBe(("UAEX", "ext_authz_denied"));
        _authz.AtApplication.ShouldBeEmpty();
    }

    [Fact]
    public async Task Of_a_refusal_only_the_named_headers_are_handed_on_and_those_that_it_needs()
    {
        _authz.Http = _ => Response(HttpStatusCode.Unauthorized, "", ("www-authenticate", "Basic"), ("x-told", "1"), ("x-secret", "2"));
        _authz.Listen(AuthorizerMesh.OverHttp(m => m.HttpService.AuthorizationResponse = new AuthorizationResponse { AllowedClientHeaders = Names("x-told") }));

        var response = await _authz.Mesh.GetAsync();

        (response.Header("www-authenticate"), response.Header("x-told"), response.Header("x-secret")).ShouldBe(("Basic", "1", null));
    }

    [Fact]
    public async Task What_the_authorizer_says_of_an_allowed_request_goes_where_it_may()
    {
        _authz.Http = _ => Response(
            HttpStatusCode.OK, "ignored", ("x-user", "alice"), ("x-group", "admins"), ("x-missing", "m"), ("x-secret", "s"), ("x-to-caller", "c"), ("x-envoy-auth-headers-to-remove", "x-token, X-Other"));
        _authz.Listen(AuthorizerMesh.OverHttp(m => m.HttpService.AuthorizationResponse = new AuthorizationResponse
        {
            AllowedUpstreamHeaders = Names("x-user"),
            AllowedUpstreamHeadersToAppend = new ListStringMatcher { Patterns = { Exact("x-group"), Exact("x-missing") } },
            AllowedClientHeadersOnSuccess = Names("x-to-caller"),
        }));

        var response = await _authz.Mesh.GetAsync("/", ("x-user", "mallory"), ("x-group", "users"), ("x-token", "t"), ("x-other", "o"));

        var headers = _authz.AtApplication.Single().Headers;
        (headers["x-user"], headers["x-group"]).ShouldBe(("alice", "users,admins"));
        new[] { "x-missing", "x-secret", "x-token", "x-other" }.ShouldAllBe(name => !headers.ContainsKey(name));
        (response.Header("x-to-caller"), await response.Text()).ShouldBe(("c", "hello"));
    }

    [Theory]
    [InlineData(HttpStatusCode.InternalServerError)]
    [InlineData(HttpStatusCode.ServiceUnavailable)]
    public async Task Trouble_of_the_authorizer_is_a_failure_and_no_denial(HttpStatusCode status)
    {
        _authz.Http = _ => Response(status, "stack trace");

        _authz.Listen(AuthorizerMesh.OverHttp());
        var response = await _authz.Mesh.GetAsync();
        (response.StatusCode, response.Details(), await response.Text()).ShouldBe((HttpStatusCode.Forbidden, "ext_authz_error", ""));

        _authz.Listen(AuthorizerMesh.OverHttp(m => m.FailureModeAllow = true));
        (await _authz.Mesh.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData(204)]
    [InlineData(302)]
    [InlineData(404)]
    public async Task Only_200_lets_pass(int status)
    {
        _authz.Http = _ => Response((HttpStatusCode)status, "");
        _authz.Listen(AuthorizerMesh.OverHttp());

        ((int)(await _authz.Mesh.GetAsync()).StatusCode).ShouldBe(status);
        _authz.AtApplication.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_refusal_that_is_too_long_is_a_failure()
    {
        _authz.Http = _ => Response(HttpStatusCode.Forbidden, new string('x', 2 * 1024 * 1024));
        _authz.Listen(AuthorizerMesh.OverHttp());

        (await _authz.Mesh.GetAsync()).Details().ShouldBe("ext_authz_error");
    }

    [Fact]
    public async Task The_body_and_its_type_are_sent_along_where_the_authorizer_wants_them()
    {
        _authz.Listen(AuthorizerMesh.OverHttp(m =>
        {
            m.WithRequestBody = new BufferSettings { MaxRequestBytes = 4, AllowPartialMessage = true };
            m.AllowedHeaders = Names("content-type");
        }));
        using var request = new HttpRequestMessage(HttpMethod.Post, "/") { Content = new StringContent("0123456789", Encoding.UTF8, "text/markdown") };

        await _authz.Mesh.Client.SendAsync(request);

        var check = _authz.AtAuthorizer.Single();
        (check.Body, check.Headers["Content-Length"], check.Headers["x-envoy-auth-partial-body"]).ShouldBe(("0123", "4", "true"));
        check.Headers["Content-Type"].ShouldStartWith("text/markdown");
        _authz.AtApplication.Single().Body.ShouldBe("0123456789");
    }

    [Fact]
    public async Task Headers_may_become_metadata()
    {
        _authz.Http = _ => Response(HttpStatusCode.OK, "", ("x-user", "alice"));
        _authz.Mesh.Listen(
            FilterMesh.Filter("first", AuthorizerMesh.OverHttp(m => m.HttpService.AuthorizationResponse = new AuthorizationResponse { DynamicMetadataFromHeaders = Names("x-user") })),
            FilterMesh.Filter("second", AuthorizerMesh.Grpc(m => m.MetadataContextNamespaces.Add(AuthorizerMesh.Name))));

        await _authz.Mesh.GetAsync();

        _authz.Checks.Single().Attributes.MetadataContext.FilterMetadata[AuthorizerMesh.Name].Fields["x-user"].StringValue.ShouldBe("alice");
    }

    private static ListStringMatcher Names(string name, bool prefix = false)
        => new() { Patterns = { prefix ? new StringMatcher { Prefix = name } : Exact(name) } };

    private static StringMatcher Exact(string name) => new() { Exact = name };

    private static HttpResponseMessage Response(HttpStatusCode status, string body, params (string Name, string Value)[] headers)
    {
        var response = new HttpResponseMessage(status) { Content = new StringContent(body) };
        foreach (var (name, value) in headers)
        {
            response.Headers.TryAddWithoutValidation(name, value);
        }

        return response;
    }
}
