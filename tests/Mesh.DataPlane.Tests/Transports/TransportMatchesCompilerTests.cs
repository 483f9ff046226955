using Envoy.Config.Cluster.V3;
using Google.Protobuf;
using Mesh.DataPlane.Resources;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Tests.Transports;

public sealed class TransportMatchesCompilerTests
{
    [Theory]
    [InlineData("""{"transport_socket_matches":[{"name":"a","transport_socket":{"name":"alts"}}]}""", "transport_socket_matches[0].transport_socket")]
    [InlineData("""{"transport_socket_matches":[{"name":"a"}]}""", "transport_socket_matches[0].transport_socket")]
    [InlineData("""{"transport_socket_matches":[{"transport_socket":{"name":"raw"}}]}""", "transport_socket_matches[0].name")]
    [InlineData("""{"transport_socket_matcher":{}}""", "transport_socket_matcher")]
    public void What_cannot_be_honoured_refuses_the_cluster(string json, string field)
    {
        var cluster = Resources.Cluster("c");
        cluster.MergeFrom(Cluster.Parser.ParseJson(json));

        Should.Throw<ResourceRejectedException>(() => ClusterType.Instance.Decode(cluster.ToByteString(), out _)).Field.ShouldBe(field);
    }

    [Fact]
    public void Sockets_that_say_the_same_are_one_pool()
    {
        var cluster = Resources.Cluster("c");
        cluster.TransportSocketMatches.Add(new Cluster.Types.TransportSocketMatch { Name = "a", TransportSocket = Resources.Tls() });
        cluster.TransportSocketMatches.Add(new Cluster.Types.TransportSocketMatch { Name = "b", TransportSocket = Resources.Tls() });

        var policy = ((ClusterResource)ClusterType.Instance.Decode(cluster.ToByteString(), out _)).Policy;

        policy.TransportMatches[0].Transport.ShouldBeSameAs(policy.TransportMatches[1].Transport);
        policy.Transport.Tls.ShouldBeNull();
    }
}
