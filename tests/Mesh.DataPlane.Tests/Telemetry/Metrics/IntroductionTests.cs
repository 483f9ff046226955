using System.Buffers.Binary;
using Envoy.Config.Core.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Telemetry.Peers;

namespace Mesh.DataPlane.Tests.Telemetry.Metrics;

public sealed class IntroductionTests
{
    private const string Principal = "spiffe://cluster.local/ns/default/sa/sleep";

    [Fact]
    public async Task It_says_what_the_header_says_and_the_first_request_may_come_right_behind_it()
    {
        var own = Own("sleep");
        using var stream = new MemoryStream([.. own.Introduction.ToArray(), .. "GET"u8]);

        var content = await Introduction.ReadAsync(stream, CancellationToken.None);

        using var request = new HttpRequestMessage();
        own.Tell(request);
        var peer = new PeerMetadata().ReadIntroduction(Principal, content).ShouldNotBeNull();
        peer.ShouldBe(new PeerMetadata().Read(Principal, null, request.Headers.GetValues(PeerMetadata.Header).Single()));
        (peer.Workload, peer.Namespace, peer.App, peer.Version, peer.Cluster).ShouldBe(("sleep", "default", "sleep", "v2", "Kubernetes"));
        stream.ReadByte().ShouldBe('G');
    }

    [Fact]
    public void Its_frame_is_that_of_the_exchange_on_TCP_connections()
    {
        var frame = Own("sleep").Introduction.Span;

        BinaryPrimitives.ReadUInt32BigEndian(frame).ShouldBe(0x3D230467u);
        BinaryPrimitives.ReadInt32BigEndian(frame[4..]).ShouldBe(frame.Length - 8);
        var data = Any.Parser.ParseFrom(frame[8..]).Unpack<Struct>();
        data.Fields.Keys.ShouldBe(["x-envoy-peer-metadata", "x-envoy-peer-metadata-id"], ignoreOrder: true);
        data.Fields["x-envoy-peer-metadata-id"].StringValue.ShouldBe("sidecar~10.0.0.1~sleep");
        frame.Length.ShouldBeLessThan(500);
    }

    [Fact]
    public async Task It_may_come_byte_by_byte()
    {
        var own = Own("sleep");

        var content = await Introduction.ReadAsync(new Dripping(own.Introduction.ToArray()), CancellationToken.None);

        content.ShouldBe(own.Introduction[8..].ToArray());
    }

    [Theory]
    [InlineData("", "ended the connection")]
    [InlineData("3D2304", "ended the connection")]
    [InlineData("3D230467000000040A02", "ended the connection")]
    [InlineData("3D2304680000000000", "something else")]
    [InlineData("474554202F20485454502F312E310D0A0D0A", "something else")]
    [InlineData("3D23046700004001", "something else")]
    [InlineData("3D230467FFFFFFFF", "something else")]
    public async Task Something_else_is_none(string bytes, string reason)
    {
        using var stream = new MemoryStream(Convert.FromHexString(bytes));

        var error = await Should.ThrowAsync<InvalidDataException>(() => Introduction.ReadAsync(stream, CancellationToken.None).AsTask());

        error.Message.ShouldContain(reason);
    }

    [Theory]
    [InlineData("")]
    [InlineData("FFFFFFFFFF")]
    [InlineData("0A03666F6F")]
    public void What_cannot_be_read_tells_nothing(string content) => new PeerMetadata().ReadIntroduction(Principal, Convert.FromHexString(content)).ShouldBeNull();

    [Fact]
    public void A_struct_that_names_no_node_tells_nothing()
    {
        foreach (var data in new[] { new Struct(), new Struct { Fields = { ["x-envoy-peer-metadata"] = Value.ForString("sleep") } } })
        {
            new PeerMetadata().ReadIntroduction(Principal, Any.Pack(data).ToByteArray()).ShouldBeNull();
        }
    }

    [Fact]
    public void It_is_remembered_and_read_anew_when_it_says_something_else()
    {
        var metadata = new PeerMetadata();
        var peer = metadata.ReadIntroduction(Principal, ContentOf("sleep")).ShouldNotBeNull();

        metadata.ReadIntroduction(Principal, ContentOf("sleep")).ShouldBeSameAs(peer);
        metadata.ReadIntroduction(Principal, ContentOf("other"))!.App.ShouldBe("other");
        metadata.ReadIntroduction(Principal, ContentOf("sleep"))!.App.ShouldBe("sleep");
    }

    [Fact]
    public void One_workload_is_not_taken_for_another()
    {
        var metadata = new PeerMetadata();
        metadata.ReadIntroduction(Principal, ContentOf("sleep"));

        metadata.ReadIntroduction("spiffe://cluster.local/ns/evil/sa/evil", ContentOf("evil"))!.App.ShouldBe("evil");
        metadata.ReadIntroduction(Principal, ContentOf("sleep"))!.App.ShouldBe("sleep");
    }

    [Fact]
    public void Many_peers_and_many_stories_of_one_do_not_fill_the_memory()
    {
        var metadata = new PeerMetadata();
        var sleep = ContentOf("sleep");
        var first = metadata.ReadIntroduction(Principal + 0, sleep).ShouldNotBeNull();
        for (var i = 1; i < 2_000; i++)
        {
            metadata.ReadIntroduction(Principal + i, sleep).ShouldNotBeNull();
            metadata.ReadIntroduction(Principal, ContentOf("app" + i))!.App.ShouldBe("app" + i);
        }

        // It had to make room for others: what is there now is another one that says the same.
        var again = metadata.ReadIntroduction(Principal + 0, sleep).ShouldNotBeNull();
        again.ShouldNotBeSameAs(first);
        again.ShouldBe(first);
    }

    private static byte[] ContentOf(string app) => Own(app).Introduction[8..].ToArray();

    private static OwnMetadata Own(string app) => new(new Node
    {
        Id = "sidecar~10.0.0.1~" + app,
        Metadata = Struct.Parser.ParseJson($$"""
            {"WORKLOAD_NAME":"{{app}}","NAMESPACE":"default","CLUSTER_ID":"Kubernetes","LABELS":{"app":"{{app}}","version":"v2"} }
            """),
    });

    private sealed class Dripping(byte[] bytes) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => base.ReadAsync(buffer[..Math.Min(1, buffer.Length)], cancellationToken);
    }
}
