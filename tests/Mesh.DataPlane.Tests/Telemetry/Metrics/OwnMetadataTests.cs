using Envoy.Config.Core.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Telemetry.Peers;

namespace Mesh.DataPlane.Tests.Telemetry.Metrics;

public sealed class OwnMetadataTests
{
    private const string Principal = "spiffe://cluster.local/ns/default/sa/sleep";

    [Fact]
    public void What_is_told_is_read_as_who_tells_it()
    {
        var node = NodeOf("""
            {"WORKLOAD_NAME":"sleep","NAMESPACE":"default","CLUSTER_ID":"east","SERVICE_ACCOUNT":"secret","LABELS":{"app":"sleep","version":"v2","app.kubernetes.io/name":"night","other":"x"} }
            """);
        var request = new HttpRequestMessage();

        new OwnMetadata(node).Tell(request);

        var text = request.Headers.GetValues(PeerMetadata.Header).Single();
        var peer = new PeerMetadata().Read(Principal, request.Headers.GetValues(PeerMetadata.IdHeader).Single(), text).ShouldNotBeNull();
        peer.ShouldBe(Peer.OfNode(node.Metadata));
        (peer.App, peer.CanonicalService, peer.CanonicalRevision, peer.Cluster).ShouldBe(("sleep", "night", "v2", "east"));

        // What no metric names stays here.
        var told = Struct.Parser.ParseFrom(Convert.FromBase64String(text));
        told.Fields.Keys.ShouldBe(["WORKLOAD_NAME", "NAMESPACE", "CLUSTER_ID", "LABELS"], ignoreOrder: true);
        told.Fields["LABELS"].StructValue.Fields.Keys.ShouldBe(
            ["app", "version", "service.istio.io/canonical-name", "service.istio.io/canonical-revision"], ignoreOrder: true);
    }

    [Fact]
    public void What_is_not_known_is_not_told_and_stays_unknown()
    {
        var request = new HttpRequestMessage();

        new OwnMetadata(new Node { Id = "id" }).Tell(request);

        new PeerMetadata().Read(Principal, "id", request.Headers.GetValues(PeerMetadata.Header).Single()).ShouldBe(Peer.Unknown);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a\r\nb: c")]
    [InlineData("with space")]
    [InlineData("ünicode")]
    public void An_id_that_is_no_value_of_a_header_is_left_out(string id)
    {
        var request = new HttpRequestMessage();

        new OwnMetadata(NodeOf("""{"WORKLOAD_NAME":"sleep"}""", id)).Tell(request);

        request.Headers.Contains(PeerMetadata.IdHeader).ShouldBeFalse();
        new PeerMetadata().Read(Principal, null, request.Headers.GetValues(PeerMetadata.Header).Single())!.Workload.ShouldBe("sleep");
    }

    [Fact]
    public void Names_without_end_do_not_make_headers_without_end()
    {
        var request = new HttpRequestMessage();
        var endless = new string('x', 100_000);

        new OwnMetadata(NodeOf($$"""{"WORKLOAD_NAME":"{{endless}}","LABELS":{"app":"{{endless}}","version":"{{endless}}"} }""", endless)).Tell(request);

        request.Headers.Sum(h => h.Value.Sum(v => v.Length)).ShouldBeLessThan(4096);
    }

    [Fact]
    public void Telling_costs_no_more_than_two_headers_do()
    {
        var metadata = new OwnMetadata(NodeOf("""{"WORKLOAD_NAME":"sleep","LABELS":{"app":"sleep"} }"""));
        var request = new HttpRequestMessage { Headers = { { "x-own", "1" } } };

        Allocations.Of(_ => metadata.Tell(request).Undo()).ShouldBe(Allocations.Of(_ =>
        {
            request.Headers.TryAddWithoutValidation(PeerMetadata.Header, "text");
            request.Headers.TryAddWithoutValidation(PeerMetadata.IdHeader, "id");
            request.Headers.Remove(PeerMetadata.Header);
            request.Headers.Remove(PeerMetadata.IdHeader);
        }));
        request.Headers.ToString().ReplaceLineEndings("\n").ShouldBe("x-own: 1\n");
    }

    [Fact]
    public void Leaving_it_to_the_connection_costs_nothing_and_gives_the_message_back_as_it_was()
    {
        using var request = new HttpRequestMessage { Headers = { { "x-own", "1" } } };
        Allocations.Of(_ => OwnMetadata.Withhold(request).Undo()).ShouldBe(0);

        using var named = new HttpRequestMessage { Headers = { { PeerMetadata.Header, "somebody" }, { PeerMetadata.IdHeader, "else" } } };
        var told = OwnMetadata.Withhold(named);
        named.Headers.ShouldBeEmpty();
        told.Undo();
        (named.Headers.GetValues(PeerMetadata.Header).Single(), named.Headers.GetValues(PeerMetadata.IdHeader).Single()).ShouldBe(("somebody", "else"));
    }

    private static Node NodeOf(string metadata, string id = "sidecar~10.0.0.1~sleep.default~default.svc.cluster.local")
        => new() { Id = id, Metadata = Struct.Parser.ParseJson(metadata) };
}
