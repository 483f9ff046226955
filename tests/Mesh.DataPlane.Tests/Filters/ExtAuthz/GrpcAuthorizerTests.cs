using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Envoy.Config.Core.V3;
using Envoy.Extensions.Filters.Http.ExtAuthz.V3;
using Envoy.Service.Auth.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Resources;
using AppendAction = Envoy.Config.Core.V3.HeaderValueOption.Types.HeaderAppendAction;

namespace Mesh.DataPlane.Tests.Filters.ExtAuthz;

public sealed class GrpcAuthorizerTests : IAsyncDisposable
{
    private readonly AuthorizerMesh _authz = new();

    public ValueTask DisposeAsync() => _authz.DisposeAsync();

    [Fact]
    public async Task What_the_authorizer_allows_reaches_the_application()
    {
        _authz.Listen(AuthorizerMesh.Grpc());

        (await _authz.Mesh.GetAsync("/books?id=1", ("x-token", "t"))).StatusCode.ShouldBe(HttpStatusCode.OK);

        var http = _authz.Checks.ShouldHaveSingleItem().Attributes.Request.Http;
        (http.Method, http.Path, http.Host, http.Scheme, http.Size).ShouldBe(("GET", "/books?id=1", "reviews:9080", "http", 0L));
        http.Headers["x-token"].ShouldBe("t");
        (http.Headers[":authority"], http.Headers[":method"], http.Headers[":path"], http.Headers[":scheme"]).ShouldBe(("reviews:9080", "GET", "/books?id=1", "http"));
        http.Id.ShouldNotBeEmpty();
        _authz.Checks[0].Attributes.Request.Time.ToDateTimeOffset().ShouldBe(_authz.Mesh.Time.GetUtcNow());
        var call = _authz.AtAuthorizer.ShouldHaveSingleItem();
        (call.Path, call.Headers["Host"], call.Headers["grpc-timeout"]).ShouldBe(("/envoy.service.auth.v3.Authorization/Check", "authz.example", "200000u"));
    }

    [Fact]
    public async Task What_it_denies_is_answered_as_it_says()
    {
        _authz.Check = _ => AuthorizerMesh.Denied(401, "who are you?", AuthorizerMesh.Header("www-authenticate", "Basic"), AuthorizerMesh.Header("content-type", "text/html"), AuthorizerMesh.Header("set-cookie", "a=1"), AuthorizerMesh.Header("set-cookie", "b=2"));
        _authz.Listen(AuthorizerMesh.Grpc());

        var response = await _authz.Mesh.GetAsync();

        response.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await response.Text()).ShouldBe("who are you?");
        (response.Header("www-authenticate"), response.Header("content-type")).ShouldBe(("Basic", "text/html"));
        response.Headers.GetValues("set-cookie").ShouldBe(["a=1", "b=2"]);
        (response.Flags(), response.Details()).ShouldBe(("UAEX", "ext_authz_denied"));
        _authz.AtApplication.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_denial_without_a_status_is_403()
    {
        _authz.Check = _ => new CheckResponse { Status = new Google.Rpc.Status { Code = 16 } };
        _authz.Listen(AuthorizerMesh.Grpc());

        (await _authz.Mesh.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task A_grpc_caller_is_denied_in_its_own_words()
    {
        _authz.Check = _ => AuthorizerMesh.Denied(403, "not you");
        _authz.Listen(AuthorizerMesh.Grpc());
        using var request = new HttpRequestMessage(HttpMethod.Post, "/") { Content = new ByteArrayContent([]) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");

        var response = await _authz.Mesh.Client.SendAsync(request);

        (response.StatusCode, response.Header("grpc-status"), response.Header("grpc-message")).ShouldBe((HttpStatusCode.OK, "7", "not you"));
    }

    [Fact]
    public async Task An_authorizer_that_cannot_be_asked_lets_nobody_pass()
    {
        _authz.Mesh.Xds.Remove(ClusterType.Instance, AuthorizerMesh.Cluster);
        _authz.Listen(AuthorizerMesh.Grpc());

        var response = await _authz.Mesh.GetAsync();

        (response.StatusCode, response.Flags(), response.Details(), await response.Text()).ShouldBe((HttpStatusCode.Forbidden, "UAEX", "ext_authz_error", ""));
        _authz.AtApplication.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_status_of_failures_may_be_another()
    {
        _authz.Mesh.Xds.Remove(ClusterType.Instance, AuthorizerMesh.Cluster);
        _authz.Listen(AuthorizerMesh.Grpc(m => m.StatusOnError = new Envoy.Type.V3.HttpStatus { Code = Envoy.Type.V3.StatusCode.ServiceUnavailable }));

        (await _authz.Mesh.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Failures_may_let_pass_and_say_so(bool marks)
    {
        _authz.Check = _ => throw new HttpRequestException("gone");
        _authz.Listen(AuthorizerMesh.Grpc(m =>
        {
            m.FailureModeAllow = true;
            m.FailureModeAllowHeaderAdd = marks;
        }));

        (await _authz.Mesh.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.OK);

        _authz.AtApplication.Single().Headers.GetValueOrDefault("x-envoy-auth-failure-mode-allowed").ShouldBe(marks ? "true" : null);
    }

    [Fact]
    public async Task A_denial_is_no_failure_that_could_let_pass()
    {
        _authz.Check = _ => AuthorizerMesh.Denied();
        _authz.Listen(AuthorizerMesh.Grpc(m => m.FailureModeAllow = true));

        (await _authz.Mesh.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task An_authorizer_that_says_it_failed_is_a_failure_with_its_own_words()
    {
        _authz.Check = _ => new CheckResponse
        {
            Status = new Google.Rpc.Status { Code = 13 },
            ErrorResponse = new DeniedHttpResponse { Body = "database is down", Headers = { AuthorizerMesh.Header("retry-after", "5") } },
        };
        _authz.Listen(AuthorizerMesh.Grpc(m => m.StatusOnError = new Envoy.Type.V3.HttpStatus { Code = Envoy.Type.V3.StatusCode.BadGateway }));

        var response = await _authz.Mesh.GetAsync();

        (response.StatusCode, await response.Text(), response.Header("retry-after"), response.Details()).ShouldBe((HttpStatusCode.BadGateway, "database is down", "5", "ext_authz_error"));
    }

    [Fact]
    public async Task Headers_are_set_added_and_removed_as_the_authorizer_says()
    {
        _authz.Check = _ => AuthorizerMesh.Allowed(ok =>
        {
            ok.Headers.Add(AuthorizerMesh.Header("x-user", "alice"));
            ok.Headers.Add(AuthorizerMesh.Header("x-set", "new", append: false));
            ok.Headers.Add(AuthorizerMesh.Header("x-more", "two", append: true));
            ok.Headers.Add(AuthorizerMesh.Header("x-nothing-to-append-to", "v", append: true));
            ok.Headers.Add(AuthorizerMesh.Header("x-absent", "yes", action: AppendAction.AddIfAbsent));
            ok.Headers.Add(AuthorizerMesh.Header("x-present", "no", action: AppendAction.AddIfAbsent));
            ok.Headers.Add(AuthorizerMesh.Header("x-missing", "no", action: AppendAction.OverwriteIfExists));
            ok.Headers.Add(AuthorizerMesh.Header("content-length", "999"));
            ok.HeadersToRemove.Add("X-Secret");
            ok.HeadersToRemove.Add("host");
            ok.HeadersToRemove.Add(":path");
            ok.ResponseHeadersToAdd.Add(AuthorizerMesh.Header("x-checked", "1"));
            ok.ResponseHeadersToAdd.Add(AuthorizerMesh.Header("x-app", "authorizer", action: AppendAction.OverwriteIfExistsOrAdd));
        });
        _authz.Application = _ =>
        {
            var response = new HttpResponseMessage();
            response.Headers.Add("x-app", "application");
            response.Headers.Add("x-checked", "0");
            return response;
        };
        _authz.Listen(AuthorizerMesh.Grpc());

        var response = await _authz.Mesh.GetAsync("/", ("x-user", "mallory"), ("x-set", "old"), ("x-more", "one"), ("x-present", "here"), ("x-secret", "s"));

        var headers = _authz.AtApplication.Single().Headers;
        headers["x-user"].ShouldBe("alice");
        headers["x-set"].ShouldBe("new");
        headers["x-more"].ShouldBe("one,two");
        headers.ContainsKey("x-nothing-to-append-to").ShouldBeFalse();
        headers["x-absent"].ShouldBe("yes");
        headers["x-present"].ShouldBe("here");
        headers.ContainsKey("x-missing").ShouldBeFalse();
        headers.ContainsKey("x-secret").ShouldBeFalse();
        response.Headers.GetValues("x-checked").ShouldBe(["0", "1"]);
        response.Header("x-app").ShouldBe("authorizer");
    }

    [Fact]
    public async Task The_query_is_changed_as_the_authorizer_says()
    {
        _authz.Check = _ => AuthorizerMesh.Allowed(ok =>
        {
            ok.QueryParametersToSet.Add(new QueryParameter { Key = "user", Value = "alice" });
            ok.QueryParametersToSet.Add(new QueryParameter { Key = "new", Value = "1" });
            ok.QueryParametersToRemove.Add("token");
        });
        _authz.Listen(AuthorizerMesh.Grpc());

        await _authz.Mesh.GetAsync("/p?user=mallory&token=secret&keep=x&user=again");

        _authz.AtApplication.Single().Path.ShouldBe("/p?user=alice&keep=x&new=1");
    }

    [Fact]
    public async Task What_it_changes_routes_anew_only_where_it_may()
    {
        _authz.Mesh.AddCluster("beta", 77);
        _authz.Mesh.Route(
            new Envoy.Config.Route.V3.Route
            {
                Match = new Envoy.Config.Route.V3.RouteMatch { Prefix = "/", Headers = { new Envoy.Config.Route.V3.HeaderMatcher { Name = "x-beta", PresentMatch = true } } },
                Route_ = new Envoy.Config.Route.V3.RouteAction { Cluster = "beta" },
            },
            Resources.Prefix("/", "v1"));
        _authz.Check = _ => AuthorizerMesh.Allowed(ok => ok.Headers.Add(AuthorizerMesh.Header("x-beta", "1")));

        _authz.Listen(AuthorizerMesh.Grpc());
        await _authz.Mesh.GetAsync();
        _authz.Listen(AuthorizerMesh.Grpc(m => m.ClearRouteCache = true));
        await _authz.Mesh.GetAsync();

        _authz.Mesh.Received.Where(r => r.Cluster != AuthorizerMesh.Cluster).Select(r => r.Cluster).ShouldBe(["v1", "beta"]);
        _authz.Checks.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_body_is_sent_along_where_the_authorizer_wants_it()
    {
        _authz.Listen(AuthorizerMesh.Grpc(m => m.WithRequestBody = new BufferSettings { MaxRequestBytes = 16 }));

        (await Post("0123456789")).StatusCode.ShouldBe(HttpStatusCode.OK);

        var http = _authz.Checks.Single().Attributes.Request.Http;
        (http.Body, http.Size, http.Headers["x-envoy-auth-partial-body"]).ShouldBe(("0123456789", 10L, "false"));
        _authz.AtApplication.Single().Body.ShouldBe("0123456789");
    }

    [Fact]
    public async Task A_body_that_is_too_long_is_413_and_nobody_is_asked()
    {
        _authz.Listen(AuthorizerMesh.Grpc(m => m.WithRequestBody = new BufferSettings { MaxRequestBytes = 4 }));

        var response = await Post("0123456789");

        (response.StatusCode, response.Details()).ShouldBe((HttpStatusCode.RequestEntityTooLarge, "request_payload_too_large"));
        _authz.Checks.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_beginning_of_a_long_body_will_do_where_it_may_and_the_application_gets_all(bool streams)
    {
        _authz.Listen(AuthorizerMesh.Grpc(m => m.WithRequestBody = new BufferSettings { MaxRequestBytes = 4, AllowPartialMessage = true, PackAsBytes = true }));

        await Post("0123456789", streams, ("x-envoy-auth-partial-body", "forged"));

        var http = _authz.Checks.Single().Attributes.Request.Http;
        (http.RawBody.ToStringUtf8(), http.Body, http.Headers["x-envoy-auth-partial-body"]).ShouldBe(("0123", "", "true"));
        _authz.AtApplication.Single().Body.ShouldBe("0123456789");
    }

    [Theory]
    [InlineData(10)]
    [InlineData(11)]
    public async Task A_body_that_is_just_long_enough_is_whole(uint limit)
    {
        _authz.Listen(AuthorizerMesh.Grpc(m => m.WithRequestBody = new BufferSettings { MaxRequestBytes = limit, AllowPartialMessage = true }));

        await Post("0123456789", streams: true);

        _authz.Checks.Single().Attributes.Request.Http.Headers["x-envoy-auth-partial-body"].ShouldBe("false");
        _authz.AtApplication.Single().Body.ShouldBe("0123456789");
    }

    [Fact]
    public async Task Headers_are_told_as_they_are_allowed()
    {
        _authz.Listen(AuthorizerMesh.Grpc(m =>
        {
            m.AllowedHeaders = new Envoy.Type.Matcher.V3.ListStringMatcher { Patterns = { new Envoy.Type.Matcher.V3.StringMatcher { Prefix = "x-" } } };
            m.DisallowedHeaders = new Envoy.Type.Matcher.V3.ListStringMatcher { Patterns = { new Envoy.Type.Matcher.V3.StringMatcher { Exact = "x-secret" } } };
        }));

        await _authz.Mesh.GetAsync("/", ("x-a", "1"), ("x-secret", "2"), ("authorization", "3"));

        _authz.Checks.Single().Attributes.Request.Http.Headers.Keys.ShouldBe(["x-a", "x-request-id"], ignoreOrder: true);
    }

    [Fact]
    public async Task Headers_may_be_told_one_by_one_and_as_bytes()
    {
        _authz.Listen(AuthorizerMesh.Grpc(m => m.EncodeRawHeaders = true));

        await _authz.Mesh.GetAsync("/", ("x-a", "1"), ("x-a", "ü"));

        var http = _authz.Checks.Single().Attributes.Request.Http;
        http.Headers.ShouldBeEmpty();
        http.HeaderMap.Headers.Where(h => h.Key == "x-a").Select(h => h.RawValue.ToStringUtf8()).ShouldBe(["1", "ü"]);
    }

    [Fact]
    public async Task A_header_with_several_values_is_told_as_one()
    {
        _authz.Listen(AuthorizerMesh.Grpc());

        await _authz.Mesh.GetAsync("/", ("x-a", "1"), ("x-a", "2"));

        _authz.Checks.Single().Attributes.Request.Http.Headers["x-a"].ShouldBe("1,2");
    }

    [Fact]
    public async Task The_metadata_that_it_leaves_is_there_for_others_unless_it_may_not()
    {
        _authz.Check = _ => new CheckResponse { DynamicMetadata = Struct.Parser.ParseJson("""{"user":"alice"}""") };
        var reads = FilterMesh.Filter("second", AuthorizerMesh.Grpc(m => m.MetadataContextNamespaces.Add(AuthorizerMesh.Name)));

        _authz.Mesh.Listen(FilterMesh.Filter(AuthorizerMesh.Name, AuthorizerMesh.Grpc()), reads);
        await _authz.Mesh.GetAsync();
        _authz.Mesh.Listen(FilterMesh.Filter(AuthorizerMesh.Name, AuthorizerMesh.Grpc(m => m.EnableDynamicMetadataIngestion = false)), reads);
        await _authz.Mesh.GetAsync();

        _authz.Checks[1].Attributes.MetadataContext.FilterMetadata[AuthorizerMesh.Name].Fields["user"].StringValue.ShouldBe("alice");
        _authz.Checks[3].Attributes.MetadataContext.ShouldBeNull();
    }

    [Fact]
    public async Task What_would_be_no_request_any_more_is_refused()
    {
        _authz.Check = _ => AuthorizerMesh.Allowed(ok => ok.Headers.Add(AuthorizerMesh.Header(":path", "no path")));
        _authz.Listen(AuthorizerMesh.Grpc());

        var response = await _authz.Mesh.GetAsync();

        (response.StatusCode, response.Flags(), response.Details()).ShouldBe((HttpStatusCode.InternalServerError, "UAEX", "ext_authz_invalid"));
        _authz.AtApplication.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("x-a", "line\nbreak")]
    [InlineData("no header", "v")]
    public async Task A_header_that_is_none_is_left_out_or_refused(string name, string value)
    {
        _authz.Check = _ => AuthorizerMesh.Allowed(ok => ok.Headers.Add(AuthorizerMesh.Header(name, value)));

        _authz.Listen(AuthorizerMesh.Grpc());
        (await _authz.Mesh.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.OK);
        _authz.AtApplication.Single().Headers.ContainsKey(name).ShouldBeFalse();

        _authz.Listen(AuthorizerMesh.Grpc(m => m.ValidateMutations = true));
        (await _authz.Mesh.GetAsync()).Details().ShouldBe("ext_authz_invalid");
    }

    [Fact]
    public async Task What_it_may_not_touch_is_left_as_it_is_or_makes_the_answer_invalid()
    {
        _authz.Check = _ => AuthorizerMesh.Allowed(ok =>
        {
            ok.Headers.Add(AuthorizerMesh.Header("host", "elsewhere"));
            ok.Headers.Add(AuthorizerMesh.Header("x-envoy-internal", "true"));
            ok.Headers.Add(AuthorizerMesh.Header("x-fine", "1"));
        });

        _authz.Listen(AuthorizerMesh.Grpc(m => m.DecoderHeaderMutationRules = new()));
        await _authz.Mesh.GetAsync();
        var headers = _authz.AtApplication.Single().Headers;
        (headers.ContainsKey("x-envoy-internal"), headers["x-fine"]).ShouldBe((false, "1"));

        _authz.Listen(AuthorizerMesh.Grpc(m => m.DecoderHeaderMutationRules = new() { DisallowIsError = true }));
        (await _authz.Mesh.GetAsync()).Details().ShouldBe("ext_authz_invalid");
    }

    [Fact]
    public async Task The_body_of_a_refusal_may_be_cut()
    {
        _authz.Check = _ => AuthorizerMesh.Denied(403, "a long story");
        _authz.Listen(AuthorizerMesh.Grpc(m => m.MaxDeniedResponseBodyBytes = 6));

        (await (await _authz.Mesh.GetAsync()).Text()).ShouldBe("a long");
    }

    private Task<HttpResponseMessage> Post(string body, bool streams = false, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/")
        {
            Content = streams ? new StreamContent(new OneWayStream(Encoding.UTF8.GetBytes(body))) : new StringContent(body),
        };
        foreach (var (name, value) in headers)
        {
            request.Headers.Add(name, value);
        }

        return _authz.Mesh.Client.SendAsync(request);
    }

    // What comes from a socket can be read once, a few bytes at a time.
    private sealed class OneWayStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
            => base.ReadAsync(buffer[..Math.Min(3, buffer.Length)], cancellationToken);
    }
}
