using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Telemetry.Peers;

namespace Mesh.DataPlane.Tests.Telemetry.Metrics;

public sealed class PeerMetadataTests
{
    private const string Principal = "spiffe://cluster.local/ns/default/sa/sleep";

    private static readonly string Sleep = Text("sleep");

    [Fact]
    public void What_a_peer_tells_is_read_and_remembered_by_its_id()
    {
        var metadata = new PeerMetadata();

        var peer = metadata.Read(Principal, "sidecar~10.0.0.1~sleep", Sleep).ShouldNotBeNull();

        (peer.Workload, peer.Namespace, peer.App, peer.Version, peer.CanonicalService, peer.CanonicalRevision, peer.Cluster)
            .ShouldBe(("sleep", "default", "sleep", "v2", "sleep", "v2", "Kubernetes"));
        metadata.Read(Principal, "sidecar~10.0.0.1~sleep", null).ShouldBeSameAs(peer);
        metadata.Read(Principal, "sidecar~10.0.0.1~sleep", Text("other"))!.App.ShouldBe("other");
    }

    [Fact]
    public void One_workload_is_not_taken_for_another_by_its_id()
    {
        var metadata = new PeerMetadata();
        metadata.Read(Principal, "id", Sleep);

        metadata.Read("spiffe://cluster.local/ns/evil/sa/evil", "id", null).ShouldBeNull();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("not base64 at all!")]
    [InlineData("/////w")]
    public void What_cannot_be_read_tells_nothing(string? text) => new PeerMetadata().Read(Principal, "id", text).ShouldBeNull();

    [Fact]
    public void Peers_that_make_up_ids_do_not_fill_the_memory_nor_drive_others_out_for_good()
    {
        var metadata = new PeerMetadata();
        for (var i = 0; i < 5_000; i++)
        {
            metadata.Read(Principal, "id" + i, Sleep).ShouldNotBeNull();
        }

        Enumerable.Range(0, 5_000).Count(i => metadata.Read(Principal, "id" + i, null) is not null).ShouldBeLessThanOrEqualTo(500);
        metadata.Read(Principal, new string('x', 100_000), Sleep).ShouldNotBeNull();
        metadata.Read(Principal, "id", new string('A', 100_000)).ShouldBeNull();
    }

    private static string Text(string app)
        => Convert.ToBase64String(Struct.Parser.ParseJson($$"""
            {"WORKLOAD_NAME":"{{app}}","NAMESPACE":"default","CLUSTER_ID":"Kubernetes","LABELS":{"app":"{{app}}","version":"v2"} }
            """).ToByteArray()).TrimEnd('=');
}
