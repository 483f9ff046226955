using Envoy.Config.Cluster.V3;
using Envoy.Config.Endpoint.V3;
using Google.Protobuf;
using Mesh.Xds.Ads;
using Mesh.Xds.Client;

namespace Mesh.Xds.Tests.Client;

/// <summary>Decodes real Cluster and ClusterLoadAssignment messages; a name that contains "bad" is invalid.</summary>
internal sealed class TestResourceType(string typeUrl, bool isFullStateInSotw) : ResourceType<string>(typeUrl, isFullStateInSotw)
{
    public static readonly TestResourceType Cluster = new(TypeUrls.Cluster, true);
    public static readonly TestResourceType Endpoints = new(TypeUrls.ClusterLoadAssignment, false);

    protected override string DecodeResource(ByteString body, out string name)
    {
        var (own, content) = TypeUrl == TypeUrls.Cluster
            ? (Envoy.Config.Cluster.V3.Cluster.Parser.ParseFrom(body).Name, Envoy.Config.Cluster.V3.Cluster.Parser.ParseFrom(body).AltStatName)
            : (ClusterLoadAssignment.Parser.ParseFrom(body).ClusterName, "");
        name = own;
        return content.Contains("bad", StringComparison.Ordinal) ? throw new ResourceRejectedException("alt_stat_name", "is bad") : $"{own}={content}";
    }
}
