using Envoy.Config.Cluster.V3;
using Envoy.Extensions.Upstreams.Http.V3;

namespace Mesh.ControlPlane.Tests;

/// <summary>Reads what a cluster carries packed.</summary>
internal static class ClusterReading
{
    private const string Key = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

    /// <summary>The HTTP options as JSON; nothing where the cluster has none.</summary>
    public static string? HttpOptions(this Cluster cluster)
        => cluster.TypedExtensionProtocolOptions.TryGetValue(Key, out var any) ? TestMesh.Json(any.Unpack<HttpProtocolOptions>()) : null;
}
