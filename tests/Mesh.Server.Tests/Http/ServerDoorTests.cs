using System.Net;
using System.Text;
using Envoy.Config.Common.MutationRules.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Http.Fault.V3;
using Envoy.Extensions.Filters.Http.LocalRatelimit.V3;
using Envoy.Type.V3;
using Google.Protobuf.WellKnownTypes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Buffer = Envoy.Extensions.Filters.Http.Buffer.V3.Buffer;
using Cors = Envoy.Extensions.Filters.Http.Cors.V3;
using HttpMethod = System.Net.Http.HttpMethod;

namespace Mesh.Server.Tests.Http;

public sealed class ServerDoorTests
{
    private static readonly FractionalPercent Always = new() { Numerator = 100 };

    [Fact]
    public async Task A_port_without_a_listener_is_the_applications()
    {
        await using var host = await DoorHost.StartAsync();

        (await host.SendAsync("/a//b", ("x-envoy-internal", "true"))).ShouldSatisfyAllConditions(a => a.Status.ShouldBe(200), a => a.Body.ShouldBe("/a//b"));

        host.Requests[0].Headers.ShouldContainKey("x-envoy-internal");
    }

    [Fact]
    public async Task A_request_that_no_route_is_for_is_not_found()
    {
        await using var host = await DoorHost.StartAsync(m => m.RouteConfig.VirtualHosts[0].Domains[0] = "other");

        (await host.SendAsync("/")).Status.ShouldBe(404);
        host.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_route_answers_in_place_of_the_application()
    {
        await using var host = await DoorHost.StartAsync(m => m.RouteConfig.VirtualHosts[0].Routes[0] = new Route
        {
            Match = new RouteMatch { Prefix = "/" },
            DirectResponse = new DirectResponseAction { Status = 418, Body = new DataSource { InlineString = "short and stout" } },
            ResponseHeadersToAdd = { new HeaderValueOption { Header = new HeaderValue { Key = "x-from", Value = "%REQ(:path)%" } } },
        });

        var answer = await host.SendAsync("/tea");

        (answer.Status, answer.Body, answer.Headers["x-from"], answer.Headers["content-type"]).ShouldBe((418, "short and stout", "/tea", "text/plain"));
        var head = await host.SendAsync("HEAD", "/tea", null);
        (head.Status, head.Body, head.Headers["content-length"]).ShouldBe((418, "", "15"));
        host.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_route_sends_callers_elsewhere()
    {
        await using var host = await DoorHost.StartAsync(m => m.RouteConfig.VirtualHosts[0].Routes[0] = new Route
        {
            Match = new RouteMatch { Prefix = "/" },
            Redirect = new RedirectAction { HostRedirect = "new.example", PrefixRewrite = "/v2/" },
        });

        var answer = await host.SendAsync("/a?b=c");

        (answer.Status, answer.Headers["location"]).ShouldBe((301, "http://new.example/v2/a?b=c"));
    }

    [Fact]
    public async Task Clear_text_is_sent_to_https_where_a_virtual_host_wants_that()
    {
        await using var host = await DoorHost.StartAsync(m => m.RouteConfig.VirtualHosts[0].RequireTls = VirtualHost.Types.TlsRequirementType.All);

        (await host.SendAsync("/a", ("host", "reviews"))).Headers["location"].ShouldBe("https://reviews/a");
        (await host.SendAsync("/a", ("x-forwarded-proto", "https"))).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Routes_change_the_headers_of_requests_and_responses_at_every_level()
    {
        await using var host = await DoorHost.StartAsync(
            m =>
            {
                m.RouteConfig.RequestHeadersToAdd.Add(Option("x-level", "configuration"));
                m.RouteConfig.VirtualHosts[0].RequestHeadersToAdd.Add(Option("x-level", "host"));
                m.RouteConfig.VirtualHosts[0].Routes[0].RequestHeadersToAdd.Add(Option("x-level", "route %REQ(x-in)%"));
                m.RouteConfig.VirtualHosts[0].Routes[0].RequestHeadersToRemove.Add("x-secret");
                m.RouteConfig.VirtualHosts[0].ResponseHeadersToAdd.Add(Option("x-status", "%RESPONSE_CODE%"));
                m.RouteConfig.VirtualHosts[0].Routes[0].ResponseHeadersToRemove.Add("x-powered-by");
            },
            app => app.Run(context =>
            {
                context.Response.OnStarting(() =>
                {
                    context.Response.Headers["x-powered-by"] = "late";
                    return Task.CompletedTask;
                });
                context.Response.StatusCode = 201;
                return Task.CompletedTask;
            }));

        var answer = await host.SendAsync("/", ("x-in", "7"), ("x-secret", "s"));

        host.Requests[0].Headers["x-level"].ShouldBe("route 7|host|configuration");
        host.Requests[0].Headers.ShouldNotContainKey("x-secret");
        answer.Headers["x-status"].ShouldBe("201");
        answer.Headers.ShouldNotContainKey("x-powered-by");
    }

    [Fact]
    public async Task A_fault_answers_and_delays()
    {
        await using var host = await DoorHost.StartAsync(m => m.HttpFilters.Insert(0, Filter(new HTTPFault { Abort = new FaultAbort { HttpStatus = 503, Percentage = Always } })));

        (await host.SendAsync("/")).ShouldSatisfyAllConditions(a => a.Status.ShouldBe(503), a => a.Body.ShouldBe("fault filter abort"));
        host.Requests.ShouldBeEmpty();

        host.Change(m => m.HttpFilters.Insert(0, Filter(new HTTPFault { Delay = new() { FixedDelay = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(20)), Percentage = Always } })));
        (await host.SendAsync("/late")).Body.ShouldBe("/late");
    }

    [Theory]
    [InlineData(HttpProtocols.Http1)]
    [InlineData(HttpProtocols.Http2)]
    public async Task A_fault_slows_the_responses_body_down_and_changes_nothing_of_it(HttpProtocols protocols)
    {
        var text = string.Concat(Enumerable.Repeat("0123456789abcdef", 1024));
        await using var host = await DoorHost.StartAsync(
            m => m.HttpFilters.Insert(0, Filter(new HTTPFault { ResponseRateLimit = new() { FixedLimit = new() { LimitKbps = 1_000_000 }, Percentage = Always } })),
            app => app.Run(context => context.Response.WriteAsync(text)),
            protocols: protocols);
        using var client = host.Client(protocols == HttpProtocols.Http2 ? HttpVersion.Version20 : HttpVersion.Version11);

        (await client.GetStringAsync("/")).ShouldBe(text);
    }

    [Fact]
    public async Task A_rate_limit_refuses_and_tells()
    {
        await using var host = await DoorHost.StartAsync(m => m.HttpFilters.Insert(0, Filter(new LocalRateLimit
        {
            StatPrefix = "x",
            TokenBucket = new TokenBucket { MaxTokens = 1, TokensPerFill = 1, FillInterval = Duration.FromTimeSpan(TimeSpan.FromHours(1)) },
            FilterEnabled = new RuntimeFractionalPercent { DefaultValue = Always },
            FilterEnforced = new RuntimeFractionalPercent { DefaultValue = Always },
            EnableXRatelimitHeaders = Envoy.Extensions.Common.Ratelimit.V3.XRateLimitHeadersRFCVersion.DraftVersion03,
        })));

        (await host.SendAsync("/")).Headers["x-ratelimit-remaining"].ShouldBe("0");
        (await host.SendAsync("/")).ShouldSatisfyAllConditions(a => a.Status.ShouldBe(429), a => a.Body.ShouldBe("local_rate_limited"), a => a.Headers.ShouldContainKey("x-ratelimit-limit"));
    }

    [Fact]
    public async Task Cors_is_answered_before_the_application()
    {
        await using var host = await DoorHost.StartAsync(m =>
        {
            m.HttpFilters.Insert(0, Filter(new Cors.Cors()));
            m.RouteConfig.VirtualHosts[0].TypedPerFilterConfig["x"] = Any.Pack(new Cors.CorsPolicy
            {
                AllowOriginStringMatch = { new Envoy.Type.Matcher.V3.StringMatcher { Exact = "https://shop.example" } },
                AllowMethods = "GET",
            });
        });

        var preflight = await host.SendAsync("OPTIONS", "/", null, ("origin", "https://shop.example"), ("access-control-request-method", "GET"));
        (preflight.Status, preflight.Headers["access-control-allow-origin"], preflight.Headers["access-control-allow-methods"]).ShouldBe((200, "https://shop.example", "GET"));
        host.Requests.ShouldBeEmpty();
        (await host.SendAsync("/", ("origin", "https://shop.example"))).Headers["access-control-allow-origin"].ShouldBe("https://shop.example");
        (await host.SendAsync("/", ("origin", "https://evil.example"))).Headers.ShouldNotContainKey("access-control-allow-origin");
    }

    [Fact]
    public async Task Headers_of_the_body_are_headers_like_any_other()
    {
        await using var host = await DoorHost.StartAsync(
            m => m.HttpFilters.Insert(0, Filter(new Envoy.Extensions.Filters.Http.HeaderMutation.V3.HeaderMutation
            {
                Mutations = new Envoy.Extensions.Filters.Http.HeaderMutation.V3.Mutations
                {
                    RequestMutations = { Mutation("content-language", "en"), Mutation("allow", "GET"), Mutation("x-type", "%REQ(content-type)%") },
                    ResponseMutations = { Mutation("expires", "0"), Mutation("x-length", "%RESP(content-length)%"), new HeaderMutation { Remove = "content-type" } },
                },
            })),
            app => app.Run(context =>
            {
                context.Response.ContentType = "text/html";
                context.Response.ContentLength = 2;
                return context.Response.WriteAsync("ok");
            }));

        var answer = await host.SendAsync("POST", "/", "body", ("content-type", "text/x"));

        var served = host.Requests[0].Headers;
        (served["content-language"], served["allow"], served["x-type"]).ShouldBe(("en", "GET", "text/x"));
        (answer.Headers["expires"], answer.Headers["x-length"]).ShouldBe(("0", "2"));
        answer.Headers.ShouldNotContainKey("content-type");
    }

    [Fact]
    public async Task A_buffered_body_is_the_applications_nevertheless()
    {
        await using var host = await DoorHost.StartAsync(
            m => m.HttpFilters.Insert(0, Filter(new Buffer { MaxRequestBytes = 10 })),
            app => app.Run(async context => await context.Response.WriteAsync("got " + await new StreamReader(context.Request.Body).ReadToEndAsync())));

        (await host.SendAsync("POST", "/", "0123456789")).Body.ShouldBe("got 0123456789");
        (await host.SendAsync("POST", "/", "0123456789a")).ShouldSatisfyAllConditions(a => a.Status.ShouldBe(413), a => a.Body.ShouldBe("Payload Too Large"));
        var chunked = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n0123\r\n8\r\n456789ab\r\n0\r\n\r\n";
        (await host.SendRawAsync(chunked)).Status.ShouldBe(413);
        (await host.SendRawAsync(chunked.Replace("8\r\n456789ab", "6\r\n456789", StringComparison.Ordinal))).Body.ShouldBe("got 0123456789");
        (await host.SendAsync("/")).Body.ShouldBe("got ");
    }

    [Theory]
    [InlineData(HttpProtocols.Http1)]
    [InlineData(HttpProtocols.Http2)]
    public async Task A_grpc_caller_gets_replies_among_the_headers(HttpProtocols protocols)
    {
        await using var host = await DoorHost.StartAsync(
            m => m.HttpFilters.Insert(0, Filter(new HTTPFault { Abort = new FaultAbort { HttpStatus = 403, Percentage = Always } })), protocols: protocols);
        using var client = host.Client(protocols == HttpProtocols.Http2 ? HttpVersion.Version20 : HttpVersion.Version11);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/a.B/C") { Version = client.DefaultRequestVersion, VersionPolicy = client.DefaultVersionPolicy, Content = new ByteArrayContent([0, 0, 0, 0, 0]) };
        request.Content.Headers.TryAddWithoutValidation("content-type", "application/grpc+proto");

        using var response = await client.SendAsync(request);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Headers.GetValues("grpc-status").ShouldBe(["7"]);
        response.Headers.GetValues("grpc-message").ShouldBe(["fault filter abort"]);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/grpc");
        (await response.Content.ReadAsByteArrayAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_route_switches_a_filter_off()
    {
        await using var host = await DoorHost.StartAsync(m =>
        {
            m.HttpFilters.Insert(0, Filter(new HTTPFault { Abort = new FaultAbort { HttpStatus = 503, Percentage = Always } }));
            var open = new Route { Match = new RouteMatch { Path = "/healthz" }, NonForwardingAction = new() };
            open.TypedPerFilterConfig["x"] = Any.Pack(new FilterConfig { Disabled = true });
            m.RouteConfig.VirtualHosts[0].Routes.Insert(0, open);
        });

        (await host.SendAsync("/healthz")).Status.ShouldBe(200);
        (await host.SendAsync("/")).Status.ShouldBe(503);
    }

    [Fact]
    public async Task The_next_request_of_a_connection_goes_by_the_listener_as_it_is_then()
    {
        await using var host = await DoorHost.StartAsync(_ => { });
        using var client = host.Client();
        (await client.GetAsync("/")).StatusCode.ShouldBe(HttpStatusCode.OK);

        host.Change(m => m.HttpFilters.Insert(0, Filter(new HTTPFault { Abort = new FaultAbort { HttpStatus = 403, Percentage = Always } })));

        (await client.GetAsync("/")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task Responses_carry_what_the_listener_says()
    {
        await using var host = await DoorHost.StartAsync(m => (m.ServerName, m.Via, m.AlwaysSetRequestIdInResponse) = ("istio-envoy", "1.1 mesh", true));

        var answer = await host.SendAsync("/", ("x-request-id", "abc"), ("via", "1.0 old"));

        (answer.Headers["server"], answer.Headers["via"], answer.Headers["x-request-id"]).ShouldBe(("istio-envoy", "1.1 mesh", "abc"));
        host.Requests[0].Headers["via"].ShouldBe("1.0 old, 1.1 mesh");
    }

    [Fact]
    public async Task An_application_that_fails_is_answered_for_by_its_server_and_its_filters_know_the_end()
    {
        await using var host = await DoorHost.StartAsync(
            m => m.HttpFilters.Insert(0, Filter(new HTTPFault { ResponseRateLimit = new() { FixedLimit = new() { LimitKbps = 1_000_000 }, Percentage = Always }, MaxActiveFaults = 1 })),
            app => app.Run(context => context.Request.Path == "/ok" ? context.Response.WriteAsync("ok") : throw new InvalidOperationException("no")));

        (await host.SendAsync("/fails")).Status.ShouldBe(500);
        (await host.SendAsync("/ok")).Body.ShouldBe("ok");
    }

    private static HeaderValueOption Option(string name, string value) => new() { Header = new HeaderValue { Key = name, Value = value } };

    private static HeaderMutation Mutation(string name, string value) => new() { Append = Option(name, value) };

    private static Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpFilter Filter(Google.Protobuf.IMessage config) => new() { Name = "x", TypedConfig = Any.Pack(config) };
}
