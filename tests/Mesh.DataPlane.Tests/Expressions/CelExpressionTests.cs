using System.Net;
using System.Text.Json.Nodes;
using Mesh.DataPlane.Expressions;
using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Upstream;
using Mesh.Testing;

namespace Mesh.DataPlane.Tests.Expressions;

/// <summary>What may be asked of a request by an expression, and how the language answers.</summary>
public class CelExpressionTests
{
    private static readonly ManualTimeProvider Time = new(new DateTimeOffset(2026, 11, 21, 6, 30, 28, 250, TimeSpan.Zero));

    [Theory]
    [InlineData("response.code >= 400", true)]
    [InlineData("response.code == 418", true)]
    [InlineData("response.code == 418.0", true)]
    [InlineData("response.code != 200 && response.code < 500", true)]
    [InlineData("response.code in [200, 418]", true)]
    [InlineData("!(response.code in [200, 201])", true)]
    [InlineData("response.code >= 0x1A2 && response.code <= 418u", true)]
    [InlineData("request.url_path.startsWith('/reviews')", true)]
    [InlineData("request.url_path == \"/reviews/1\"", true)]
    [InlineData("request.path.endsWith('page=2')", true)]
    [InlineData("request.query == 'page=2'", true)]
    [InlineData("request.total_size > request.size && response.total_size > response.size", true)]
    [InlineData("connection.id > 0 && connection.subject_local_certificate == 'CN=server' && connection.termination_details == 'idle'", true)]
    [InlineData("xds.filter_chain_name == 'inbound'", true)]
    [InlineData("has(connection.dns_san_local_certificate) || has(connection.transport_failure_reason) || has(xds.route_metadata)", false)]
    [InlineData("request.host.contains('view') && request.method == 'POST'", true)]
    [InlineData("request.headers['x-a'] == 'one'", true)]
    [InlineData("request.headers[\"X-A\"] == 'one'", true)]
    [InlineData("request.headers[':authority'] == 'reviews:9080'", true)]
    [InlineData("request['headers']['x-a'] == 'one'", true)]
    [InlineData("'x-a' in request.headers", true)]
    [InlineData("'x-none' in request.headers", false)]
    [InlineData("has(request.headers.cookie)", false)]
    [InlineData("!has(request.headers.cookie) && has(request.referer) == false", true)]
    [InlineData("request.headers['x-a'].matches('^o.e$')", true)]
    [InlineData("matches(request.headers['x-a'], 'n')", true)]
    [InlineData("request.headers['x-a'].matches('^n')", false)]
    [InlineData("size(request.method) == 4 && request.method.size() == 4", true)]
    [InlineData("response.headers['x-b'] == 'answer'", true)]
    [InlineData("response.flags == 0x600", true)]
    [InlineData("response.code_details == 'via_upstream'", true)]
    [InlineData("connection.mtls", false)]
    [InlineData("!connection.mtls", true)]
    [InlineData("source.address == '10.1.2.3:4711' && source.port == 4711", true)]
    [InlineData("destination.port == 8080", true)]
    [InlineData("metadata.filter_metadata['envoy.filters.http.jwt_authn'].claims.sub == 'jane'", true)]
    [InlineData("metadata['filter_metadata']['none'].x == 1", false)]
    [InlineData("metadata.filter_metadata['envoy.filters.http.jwt_authn'].claims.groups == ['a', 'b']", true)]
    [InlineData("'b' in metadata.filter_metadata['envoy.filters.http.jwt_authn'].claims.groups", true)]
    [InlineData("request.duration > duration('100ms') && request.duration < duration('1m0.5s')", true)]
    [InlineData("request.time > timestamp('2026-11-21T06:30:00Z')", true)]
    [InlineData("(response.code == 418 ? 'tea' : 'coffee') == 'tea'", true)]
    [InlineData("'a' + 'b' == 'ab' && 1 + 2 * 3 == 7 && 7 % 4 - 1 == 2 && -(3) == -3", true)]
    [InlineData("string(response.code) == '418' && int('3') == 3 && double(1) == 1.0", true)]
    [InlineData("'\\x41\\u00e9\\n' == 'A\u00e9\\n' && r'\\d' == '\\\\d'", true)]
    [InlineData("true // and what is said of it", true)]
    [InlineData("!!!!!!!!!!true", true)]
    [InlineData("upstream.request_attempt_count == 0 || xds.cluster_name == 'outbound|9080||reviews'", true)]
    public void An_expression_is_true_or_not(string expression, bool expected)
        => CelExpression.Parse(expression).IsTrue(Context()).ShouldBe(expected);

    [Theory]
    [InlineData("request.headers['x-none'] == 'one'")]
    [InlineData("!(request.headers['x-none'] == 'one')")]
    [InlineData("response.code == '418'")]
    [InlineData("response.code != '418'")]
    [InlineData("request.method > 3")]
    [InlineData("request.method")]
    [InlineData("response.code + 'x' == 'x'")]
    [InlineData("9223372036854775807 + 1 > 0")]
    [InlineData("1 / 0 == 0")]
    [InlineData("request.headers['x-none'].startsWith('')")]
    [InlineData("connection.requested_server_name == 'x' || 1 % 0 == 1")]
    public void What_cannot_be_told_is_not_true(string expression) => CelExpression.Parse(expression).IsTrue(Context()).ShouldBeFalse();

    [Theory]
    [InlineData("request.headers['x-none'] == 'one' || true")]
    [InlineData("true || request.headers['x-none'] == 'one'")]
    [InlineData("!(request.headers['x-none'] == 'one' && false)")]
    [InlineData("!(false && request.headers['x-none'] == 'one')")]
    public void What_one_side_decides_needs_no_other(string expression) => CelExpression.Parse(expression).IsTrue(Context()).ShouldBeTrue();

    [Theory]
    [InlineData("response.code", "418")]
    [InlineData("request.host", "reviews:9080")]
    [InlineData("response.code >= 400", "true")]
    [InlineData("request.duration", "0.25s")]
    [InlineData("request.headers['x-none']", null)]
    [InlineData("request.headers", null)]
    public void A_value_has_a_text(string expression, string? expected) => CelExpression.Parse(expression).TextOf(Context()).ShouldBe(expected);

    [Theory]
    [InlineData("", 0)]
    [InlineData("response.code >=", 16)]
    [InlineData("response.cod == 1", 9)]
    [InlineData("respond.code == 1", 0)]
    [InlineData("response == 1", 0)]
    [InlineData("a", 0)]
    [InlineData("true && fetch('http://example.com')", 8)]
    [InlineData("[1,2].exists(x, x == 1)", 6)]
    [InlineData("request.headers.all(x, true)", 16)]
    [InlineData("request.path.matches(request.method)", 13)]
    [InlineData("request.path.matches('(')", 13)]
    [InlineData("request.path.matches('(a)\\\\1')", 13)]
    [InlineData("duration('soon') > request.duration", 0)]
    [InlineData("'open", 0)]
    [InlineData("'''three'''", 0)]
    [InlineData("'\\q'", 1)]
    [InlineData("1 == 1 1", 7)]
    [InlineData("(true", 5)]
    [InlineData("{'a': 1}", 0)]
    [InlineData("99999999999999999999 > 1", 0)]
    [InlineData("has(true)", 0)]
    [InlineData("a; b", 1)]
    public void What_is_not_supported_is_refused_where_it_stands(string expression, int position)
        => Should.Throw<CelSyntaxException>(() => CelExpression.Parse(expression)).Position.ShouldBe(position);

    [Fact]
    public void Depth_and_length_are_bounded()
    {
        Should.Throw<CelSyntaxException>(() => CelExpression.Parse(new string('(', 5_000)));
        Should.Throw<CelSyntaxException>(() => CelExpression.Parse(new string('[', 5_000)));
        Should.Throw<CelSyntaxException>(() => CelExpression.Parse("metadata" + string.Concat(Enumerable.Repeat(".a", 3_000))));
        Should.Throw<CelSyntaxException>(() => CelExpression.Parse("'" + new string('x', CelParser.MaxLength) + "'"));
        CelExpression.Parse(new string('!', 5_000) + "true").IsTrue(Context()).ShouldBeTrue();
        CelExpression.Parse(string.Join("||", Enumerable.Repeat("false", 1_000))).IsTrue(Context()).ShouldBeFalse();
    }

    [Fact]
    public void A_comparison_of_a_number_allocates_nothing()
    {
        var expression = CelExpression.Parse("response.code >= 400 && connection.mtls == false && !(response.code in [200, 201])");
        var context = Context();
        expression.IsTrue(context).ShouldBeTrue();
        Allocations.Of(_ => expression.IsTrue(context)).ShouldBe(0);
    }

    private static FormatContext Context()
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "http://reviews:9080/reviews/1?page=2");
        request.Headers.Add("x-a", "one");
        var response = new HttpResponseMessage((HttpStatusCode)418);
        response.Headers.Add("x-b", "answer");
        var record = RequestRecord.Rent(new RequestSignals(Reporter.Destination, [], null, Time));
        Time.Advance(TimeSpan.FromMilliseconds(250));
        record.Request = request;
        record.RequestHeaders = HttpRequestHeaderReader.Instance;
        record.Response = response;
        record.ResponseHeaders = HttpResponseHeaderReader.Instance;
        (record.Method, record.Path, record.Authority, record.Scheme) = ("POST", "/reviews/1?page=2", "reviews:9080", "http");
        (record.Status, record.Flags, record.Details, record.ClusterName) = (418, "DI,FI", "via_upstream", "outbound|9080||reviews");
        record.TerminationDetails = "idle";
        record.Connection = new ConnectionFacts { FilterChainName = "inbound", LocalSubject = "CN=server", RemoteEndPoint = IPEndPoint.Parse("10.1.2.3:4711"), LocalEndPoint = IPEndPoint.Parse("10.1.2.4:8080") };
        record.Metadata = new Dictionary<string, JsonObject>
        {
            ["envoy.filters.http.jwt_authn"] = JsonNode.Parse("""{"claims":{"sub":"jane","groups":["a","b"]}}""")!.AsObject(),
        };
        return record.Format;
    }
}
