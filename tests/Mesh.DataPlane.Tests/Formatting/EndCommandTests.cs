using System.Diagnostics;
using System.Net;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Tests.Telemetry.AccessLogs;

namespace Mesh.DataPlane.Tests.Formatting;

/// <summary>What commands tell of a request that is over, and that they tell nothing before.</summary>
public class EndCommandTests
{
    [Theory]
    [InlineData("%BYTES_RECEIVED% %BYTES_SENT%", "0 558")]
    [InlineData("%BYTES_RETRANSMITTED% %PACKETS_RETRANSMITTED% %ROUNDTRIP_DURATION%", "0 0 -")]
    [InlineData("%DURATION% %REQUEST_DURATION% %REQUEST_TX_DURATION% %RESPONSE_DURATION% %RESPONSE_TX_DURATION%", "107 1 1 106 1")]
    [InlineData("%COMMON_DURATION(DS_RX_BEG:DS_TX_END:ms)%", "107")]
    [InlineData("%COMMON_DURATION(DS_RX_BEG:DS_RX_END:us)%", "1000")]
    [InlineData("%COMMON_DURATION(US_TX_BEG:US_RX_BEG:ns)%", "106000000")]
    [InlineData("%COMMON_DURATION(US_RX_BEG:US_RX_END)%", "1")]
    [InlineData("%REQUEST_HEADERS_BYTES% %DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED%", "117 117")]
    [InlineData("%DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_SENT%", "42")]
    [InlineData("%DOWNSTREAM_HANDSHAKE_DURATION% %COMMON_DURATION(DS_CX_BEG:DS_CX_END)%", "- -")]
    [InlineData("%FILTER_CHAIN_NAME%", "-")]
    [InlineData("%RESPONSE_HEADERS_BYTES% %RESPONSE_TRAILERS_BYTES%", "42 0")]
    [InlineData("%ACCESS_LOG_TYPE%", "DownstreamEnd")]
    [InlineData("%STREAM_ID%", "cd30da12-ee24-9429-b188-2d494017c083")]
    [InlineData("%TRACE_ID% %SPAN_ID%", "- -")]
    [InlineData("%RESPONSE_FLAGS% %RESPONSE_FLAGS_LONG%", "UF,URX UpstreamConnectionFailure,UpstreamRetryLimitExceeded")]
    [InlineData("%UPSTREAM_TRANSPORT_FAILURE_REASON%", "TLS_error:_the_peer_is_unknown")]
    [InlineData("%CONNECTION_TERMINATION_DETAILS%", "-")]
    [InlineData("%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(16)%", "10.1.0.0/16")]
    [InlineData("%DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT%", "10.1.2.4")]
    [InlineData("%UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(24)%", "172.17.0.0/24")]
    [InlineData("%DYNAMIC_METADATA(com.test:key)% %DYNAMIC_METADATA(com.test:key):2% %DYNAMIC_METADATA(com.test:object)%", "foo fo {\"inner\":\"bar\"}")]
    [InlineData("%METADATA(DYNAMIC:com.test:object:inner)% %METADATA(DYNAMIC:none)% %DYNAMIC_METADATA(com.test:none)%", "bar - -")]
    [InlineData("%CLUSTER_METADATA(istio:x)% %UPSTREAM_METADATA(istio:x)%", "- -")]
    [InlineData("%REQUESTED_SERVER_NAME% %REQUESTED_SERVER_NAME(HOST_FIRST:HOST)%", "service-two service-two")]
    [InlineData("%CEL(response.code + 1)% %CEL(request.headers['x-none'])%", "201 -")]
    [InlineData("%COALESCE({\"operators\":[{\"command\":\"REQ\",\"param\":\"x-none\"},\"REQUESTED_SERVER_NAME\"]}):3%", "ser")]
    [InlineData("%REQUEST_HEADER(user-agent):4% %RESPONSE_HEADER(x-envoy-upstream-service-time)%", "curl 106")]
    [InlineData("%QUERY_PARAMS%", "-")]
    public void A_command_tells_its_value(string format, string expected)
        => SubstitutionFormat.Parse(format, omitEmptyValues: false).Render(FinishedRequest.Context(Change)).ShouldBe(expected);

    [Fact]
    public void The_trace_is_the_spans()
    {
        using var span = new Activity("x").SetParentId("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").Start();
        SubstitutionFormat.Parse("%TRACE_ID% %SPAN_ID%", omitEmptyValues: false).Render(FinishedRequest.Context(r => r.Span = span))
            .ShouldBe($"0af7651916cd43dd8448eb211c80319c {span.SpanId}");
    }

    [Fact]
    public void An_id_is_the_same_in_all_of_one_entry_and_another_in_the_next()
    {
        var format = SubstitutionFormat.Parse("%UNIQUE_ID% %UNIQUE_ID%", omitEmptyValues: false);
        var first = format.Render(FinishedRequest.Context()).Split(' ');
        first[0].ShouldBe(first[1]);
        format.Render(FinishedRequest.Context()).ShouldNotContain(first[0]);
    }

    [Fact]
    public void What_resources_say_of_themselves_is_told()
    {
        var metadata = new Envoy.Config.Core.V3.Metadata { FilterMetadata = { ["istio"] = Struct.Parser.ParseJson("""{"workload":"ratings-v1;default;ratings;v1;Kubernetes"}""") } };
        var context = FinishedRequest.Context(r => r.Endpoint = r.Endpoint is null ? null : r.Endpoint with { Resource = r.Endpoint.Resource with { Metadata = DataPlane.Resources.ResourceMetadata.Of(metadata) } });
        SubstitutionFormat.Parse("%UPSTREAM_METADATA(istio:workload):10% %CEL(xds.upstream_host_metadata.filter_metadata.istio.workload):7%", omitEmptyValues: false)
            .Render(context).ShouldBe("ratings-v1 ratings");
    }

    [Fact]
    public void The_endpoints_that_were_tried_are_told_in_turn()
    {
        var record = FinishedRequest.Create();
        var first = record.Endpoint!;
        record.Try(first);
        record.Try(first with { Resource = first.Resource with { Address = IPEndPoint.Parse("172.17.0.9:8080"), Hostname = "nine" } });
        SubstitutionFormat.Parse("%UPSTREAM_HOSTS_ATTEMPTED% %UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT% %UPSTREAM_HOST_NAMES_ATTEMPTED% %UPSTREAM_HOST_NAMES_ATTEMPTED_WITHOUT_PORT%", omitEmptyValues: false)
            .Render(record.Format).ShouldBe("172.17.0.8:8080,172.17.0.9:8080 172.17.0.8,172.17.0.9 172.17.0.8:8080,nine 172.17.0.8,nine");
        record.Release();

        // The next one has been nowhere yet, and no request tells of more than it may.
        var next = FinishedRequest.Create();
        SubstitutionFormat.Parse("%UPSTREAM_HOSTS_ATTEMPTED%", omitEmptyValues: false).Render(next.Format).ShouldBe("-");
        for (var i = 0; i < 100; i++)
        {
            next.Try(first);
        }

        next.Tried.Length.ShouldBe(32);
    }

    [Fact]
    public void The_state_of_peers_is_told_by_its_fields_and_as_a_whole()
    {
        var peer = new DataPlane.Telemetry.Peers.Peer("ratings-v1", "default", "ratings", "v1", "ratings", "v1", "");
        var context = FinishedRequest.Context(r => r.Endpoint = r.Endpoint is null ? null : r.Endpoint with { Resource = r.Endpoint.Resource with { Peer = peer } });
        SubstitutionFormat.Parse("%FILTER_STATE(upstream_peer:FIELD:workload)% %FILTER_STATE(upstream_peer:FIELD:service):3% %FILTER_STATE(upstream_peer:FIELD:cluster)% %FILTER_STATE(downstream_peer)%", omitEmptyValues: false)
            .Render(context).ShouldBe("ratings-v1 rat - -");
        JsonOf("%FILTER_STATE(upstream_peer)%", context)["LABELS"]!["app"]!.GetValue<string>().ShouldBe("ratings");
        JsonOf("%FILTER_STATE(upstream_peer:FIELD:app)%", context).GetValue<string>().ShouldBe("ratings");
    }

    private static System.Text.Json.Nodes.JsonNode JsonOf(string format, in FormatContext context)
    {
        var text = new Utf8Text();
        JsonFormat.Parse(new Struct { Fields = { ["a"] = Value.ForString(format) } }, omitEmptyValues: false).Write(context, text);
        return System.Text.Json.Nodes.JsonNode.Parse(text.ToString())!["a"]!;
    }

    [Fact]
    public void What_is_said_of_routes_is_told()
    {
        var metadata = new Envoy.Config.Core.V3.Metadata { FilterMetadata = { ["istio"] = Struct.Parser.ParseJson("""{"config":"/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews"}""") } };
        var context = FinishedRequest.Context(r => r.Route = r.Route is { } route ? new(route.Index, route.Name, route.Match, route.Action) { Metadata = DataPlane.Resources.ResourceMetadata.Of(metadata) } : null);
        SubstitutionFormat.Parse("%METADATA(ROUTE:istio:config):5% %METADATA(ROUTE:none)%", omitEmptyValues: false).Render(context).ShouldBe("/apis -");
    }

    [Theory]
    [InlineData("%COMMON_DURATION(A:B:ms)%")]
    [InlineData("%COMMON_DURATION(DS_RX_BEG:DS_TX_END:s)%")]
    [InlineData("%COMMON_DURATION(US_CX_BEG:US_CX_END)%")]
    [InlineData("%FILTER_STATE()%")]
    [InlineData("%FILTER_STATE(a:JSON)%")]
    [InlineData("%FILTER_STATE(a:FIELD)%")]
    [InlineData("%FILTER_STATE(a:TYPED:b)%")]
    [InlineData("%FILTER_STATE(upstream_peer:PLAIN)%")]
    [InlineData("%FILTER_STATE(upstream_peer:FIELD:shoe_size)%")]
    [InlineData("%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(129)%")]
    [InlineData("%METADATA(VIRTUAL_HOST:x)%")]
    [InlineData("%METADATA(NONE:x)%")]
    [InlineData("%DYNAMIC_METADATA()%")]
    [InlineData("%CEL(no.such)%")]
    [InlineData("%COALESCE({})%")]
    [InlineData("%COALESCE({\"operators\":[\"NO_SUCH\"]})%")]
    [InlineData("%COALESCE({\"operators\":[{\"command\":\"COALESCE\",\"param\":\"{}\"}]})%")]
    [InlineData("%REQUESTED_SERVER_NAME(X)%")]
    [InlineData("%FILE_CONTENT(/etc/passwd)%")]
    [InlineData("%SECRET(x)%")]
    public void What_cannot_be_told_is_refused(string format)
        => Should.Throw<SubstitutionFormatException>(() => SubstitutionFormat.Parse(format, omitEmptyValues: false)).Position.ShouldBe(0);

    [Fact]
    public void Before_the_end_there_is_nothing_to_tell()
    {
        var names = FormatCommands.All.Where(c => c.Value is { IsOfEnd: true, Argument: not FormatArgument.Required }).Select(c => c.Key).ToList();
        names.Count.ShouldBeGreaterThan(20);
        var before = new FormatContext(TimeProvider.System);
        foreach (var name in names)
        {
            var format = SubstitutionFormat.Parse($"%{name}%", omitEmptyValues: false);
            format.Render(before).ShouldBe("-", name);
            format.NotAlwaysKnown.ShouldBe([name]);
        }
    }

    [Fact]
    public void Every_command_is_answered()
    {
        // With nothing known but the record itself every command renders, and none throws.
        var context = FinishedRequest.Context();
        foreach (var (name, _) in FormatCommands.All.Where(c => c.Value.Argument != FormatArgument.Required))
        {
            var text = SubstitutionFormat.Parse($"%{name}%", omitEmptyValues: false).Render(context);
            text.ShouldNotBeNull(name);
        }
    }

    private static void Change(RequestRecord record)
    {
        record.Connection = FinishedRequest.Connection;
        record.Metadata = FinishedRequest.Metadata;
        (record.Flags, record.TransportFailure) = ("UF,URX", "TLS error: the peer is unknown");
        record.Protocol = HttpVersion.Version11;
    }
}
