using System.Net;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Upstream;
using Mesh.Testing;

namespace Mesh.DataPlane.Tests.Formatting;

/// <summary>Envoy's command syntax, and what each command tells.</summary>
public class SubstitutionFormatTests
{
    private static readonly ManualTimeProvider Time = new(new DateTimeOffset(2026, 11, 21, 6, 30, 28, 250, TimeSpan.Zero));

    [Theory]
    [InlineData("", "")]
    [InlineData("text", "text")]
    [InlineData("100%%", "100%")]
    [InlineData("%%%PROTOCOL%%%", "%HTTP/1.1%")]
    [InlineData("a%REQ(x-a)%b", "aoneb")]
    [InlineData("%REQ(X-A)%", "one")]
    [InlineData("%REQ(x-two)%", "first")]
    [InlineData("%REQ(x-none)%", "-")]
    [InlineData("%REQ(x-none?x-a)%", "one")]
    [InlineData("%REQ(x-a?x-two)%", "one")]
    [InlineData("%REQ(x-none?)%", "-")]
    [InlineData("%REQ(x-a):2%", "on")]
    [InlineData("%REQ(x-a):0%", "")]
    [InlineData("%REQ(x-a):20%", "one")]
    [InlineData("%REQ(:path)%", "/reviews/1?page=2&page=3")]
    [InlineData("%REQ(:METHOD)% %REQ(:authority)% %REQ(:scheme)%", "POST reviews:9080 http")]
    [InlineData("%REQ(content-type)%", "text/plain")]
    [InlineData("%REQ_WITHOUT_QUERY(:path)%", "/reviews/1")]
    [InlineData("%REQ_WITHOUT_QUERY(x-none?:path):4%", "/rev")]
    [InlineData("%PATH%", "/reviews/1?page=2&page=3")]
    [InlineData("%PATH(NQ)%", "/reviews/1")]
    [InlineData("%PATH(NQ:PATH)%", "/reviews/1")]
    [InlineData("%PATH(WQ:ORIG)%", "-")]
    [InlineData("%QUERY_PARAM(page)%", "2")]
    [InlineData("%QUERY_PARAM(size)%", "-")]
    [InlineData("%RESP(x-b)%", "answer")]
    [InlineData("%RESP(expires)%", "0")]
    [InlineData("%RESP(:status)%", "418")]
    [InlineData("%TRAILER(x-t)%", "trailer")]
    [InlineData("%RESPONSE_CODE%", "418")]
    [InlineData("%RESPONSE_FLAGS%", "-")]
    [InlineData("%RESPONSE_CODE_DETAILS%", "via_upstream")]
    [InlineData("%UPSTREAM_HOST%", "10.0.0.7:8080")]
    [InlineData("%UPSTREAM_REMOTE_ADDRESS%", "10.0.0.7:8080")]
    [InlineData("%UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", "10.0.0.7")]
    [InlineData("%UPSTREAM_REMOTE_PORT%", "8080")]
    [InlineData("%UPSTREAM_HOST_NAME%", "seven.example")]
    [InlineData("%UPSTREAM_CLUSTER%", "outbound|9080||reviews")]
    [InlineData("%UPSTREAM_PROTOCOL%", "HTTP/2")]
    [InlineData("%ROUTE_NAME%", "canary")]
    [InlineData("%VIRTUAL_CLUSTER_NAME%", "-")]
    [InlineData("[%CUSTOM_FLAGS%]", "[]")]
    [InlineData("%FILTER_STATE(some.filter)% %FILTER_STATE(some.filter:PLAIN)% %UPSTREAM_FILTER_STATE(a:FIELD:b)%", "- - -")]
    [InlineData("%DOWNSTREAM_REMOTE_ADDRESS%", "-")]
    [InlineData("%DYNAMIC_METADATA(a:b)%", "-")]
    [InlineData("%PER_REQUEST_STATE(key)%", "-")]
    [InlineData("%START_TIME%", "2026-11-21T06:30:28.250Z")]
    [InlineData("%START_TIME(%Y/%m/%dT%H:%M:%S%z %s)%", "2026/11/21T06:30:28+0000 1795242628")]
    [InlineData("%START_TIME(%s.%3f)%", "1795242628.250")]
    [InlineData("%START_TIME(%H (UTC) %M)%", "06 (UTC) 30")]
    [InlineData("%EMIT_TIME(%F %T)%", "2026-11-21 06:30:28")]
    [InlineData("%GRPC_STATUS%", "-")]
    public void A_command_tells_its_value(string format, string expected) => SubstitutionFormat.Parse(format, omitEmptyValues: false).Render(Context()).ShouldBe(expected);

    [Fact]
    public void What_is_not_there_is_left_out_where_empty_values_are_omitted()
        => SubstitutionFormat.Parse("[%REQ(x-none)%|%ROUTE_NAME%]", omitEmptyValues: true).Render(Context()).ShouldBe("[|canary]");

    [Theory]
    [InlineData("half %", 5)]
    [InlineData("%unknown%", 0)]
    [InlineData("ab %NO_SUCH_COMMAND%", 3)]
    [InlineData("%REQ%", 0)]
    [InlineData("%REQ(x%", 0)]
    [InlineData("%REQ(x)", 0)]
    [InlineData("%REQ(x):%", 0)]
    [InlineData("%REQ(x):-1%", 0)]
    [InlineData("%REQ(x):99999999999%", 0)]
    [InlineData("%REQ(x?y?z)%", 0)]
    [InlineData("%REQ(a b)%", 0)]
    [InlineData("%REQ()%", 0)]
    [InlineData("%PROTOCOL(x)%", 0)]
    [InlineData("%PROTOCOL:3%", 0)]
    [InlineData("%START_TIME(%Q)%", 0)]
    [InlineData("%PATH(XX)%", 0)]
    [InlineData("%GRPC_STATUS(KEBAB)%", 0)]
    [InlineData("%REQ(a\nb)%", 0)]
    public void A_format_that_means_nothing_is_refused_with_its_position(string format, int position)
        => Should.Throw<SubstitutionFormatException>(() => SubstitutionFormat.Parse(format, omitEmptyValues: false)).Position.ShouldBe(position);

    [Theory]
    [InlineData("%ENVIRONMENT(DATABASE_PASSWORD)%")]
    [InlineData("x-%ENVIRONMENT(HOME):3%")]
    public void The_environment_of_this_process_is_nobodys_to_read(string format)
        => Should.Throw<SubstitutionFormatException>(() => SubstitutionFormat.Parse(format, omitEmptyValues: false)).Message.ShouldContain("environment");

    [Fact]
    public void A_format_beyond_its_bounds_is_refused()
        => Should.Throw<SubstitutionFormatException>(() => SubstitutionFormat.Parse(new string('a', SubstitutionFormatParser.MaxFormatLength + 1), omitEmptyValues: false));

    [Fact]
    public void A_literal_renders_to_itself_without_a_copy()
    {
        var format = SubstitutionFormat.Parse("always %% the same", omitEmptyValues: true);
        format.Literal.ShouldBe("always % the same");
        var context = Context();
        Allocations.Of(_ => format.Render(context)).ShouldBe(0);
    }

    [Fact]
    public void Commands_without_a_value_here_are_named()
        => SubstitutionFormat.Parse("%DURATION% %REQ(x)% %DOWNSTREAM_TLS_VERSION%", omitEmptyValues: true).NotAlwaysKnown.ShouldBe(["DURATION", "DOWNSTREAM_TLS_VERSION"]);

    [Fact]
    public void The_status_of_gRPC_has_three_spellings()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://reviews:9080/") { Content = new ByteArrayContent([]) };
        request.Content.Headers.TryAddWithoutValidation("content-type", "application/grpc");
        using var response = new HttpResponseMessage();
        response.Headers.TryAddWithoutValidation("grpc-status", "4");
        var context = new FormatContext(Time)
        {
            RequestHeaders = HttpRequestHeaderReader.Instance,
            Request = request,
            ResponseHeaders = HttpResponseHeaderReader.Instance,
            ResponseTrailers = HttpResponseHeaderReader.Trailers,
            Response = response,
        };
        SubstitutionFormat.Parse("%GRPC_STATUS% %GRPC_STATUS(SNAKE_STRING)% %GRPC_STATUS(NUMBER)% %GRPC_STATUS_NUMBER%", omitEmptyValues: false)
            .Render(context).ShouldBe("DeadlineExceeded DEADLINE_EXCEEDED 4 4");
    }

    private static FormatContext Context()
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "http://reviews:9080/reviews/1?page=2&page=3") { Content = new StringContent("x") };
        request.Content.Headers.ContentType = new("text/plain");
        request.Headers.Add("x-a", "one");
        request.Headers.Add("x-two", ["first", "second"]);
        var response = new HttpResponseMessage((HttpStatusCode)418) { Version = HttpVersion.Version20 };
        response.Headers.Add("x-b", "answer");
        response.Content.Headers.TryAddWithoutValidation("expires", "0");
        response.TrailingHeaders.Add("x-t", "trailer");
        var resource = new EndpointResource(new IPEndPoint(IPAddress.Parse("10.0.0.7"), 8080), "seven.example", 1, EndpointHealth.Healthy, new Dictionary<string, string>());
        return new FormatContext(Time)
        {
            RequestHeaders = HttpRequestHeaderReader.Instance,
            Request = request,
            ResponseHeaders = HttpResponseHeaderReader.Instance,
            ResponseTrailers = HttpResponseHeaderReader.Trailers,
            Response = response,
            Method = "POST",
            PathAndQuery = request.RequestUri!.PathAndQuery,
            Authority = "reviews:9080",
            Scheme = "http",
            Protocol = HttpVersion.Version11,
            UpstreamProtocol = response.Version,
            Route = new RouteEntry(0, "canary", new RouteMatch(new PathMatch(PathMatchKind.Prefix, "/", true), RouteConditions.None), new RouteAction.Unsupported("none")),
            Cluster = "outbound|9080||reviews",
            Endpoint = new Endpoint(resource, "", 0, new EndpointState(() => throw new InvalidOperationException())),
            Status = 418,
            ResponseCodeDetails = "via upstream",
        };
    }
}
