using Envoy.Config.Cluster.V3;
using Google.Protobuf;
using Mesh.Xds.Ads;
using Mesh.Xds.Client;

namespace Mesh.Peers.Tests.Servers;

/// <summary>Clusters as the transcripts use them; the statistics name is the content, and <c>bad</c> is refused.</summary>
internal sealed class ClusterType() : ResourceType<string>(TypeUrls.Cluster, isFullStateInSotw: true)
{
    public static readonly ClusterType Instance = new();

    protected override string DecodeResource(ByteString body, out string name)
    {
        var cluster = Cluster.Parser.ParseFrom(body);
        name = cluster.Name;
        return cluster.AltStatName == "bad" ? throw new ResourceRejectedException("alt_stat_name", "is bad") : cluster.AltStatName;
    }
}
