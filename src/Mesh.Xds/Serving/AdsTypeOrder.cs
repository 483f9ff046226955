using Mesh.Xds.Ads;

namespace Mesh.Xds.Serving;

/// <summary>
/// The order in which changed kinds are sent, so that nothing is named before it is there
/// (xDS protocol, "Eventual consistency considerations": CDS, EDS, LDS, RDS, the rest).
/// </summary>
internal static class AdsTypeOrder
{
    private const int Last = 4;

    public static int RankOf(string typeUrl) => typeUrl switch
    {
        TypeUrls.Cluster => 0,
        TypeUrls.ClusterLoadAssignment => 1,
        TypeUrls.Listener => 2,
        TypeUrls.RouteConfiguration => 3,
        _ => Last,
    };

    /// <summary>Clusters and endpoints are removed only after the routes that named them have been replaced.</summary>
    public static bool RemovesAfterRoutes(string typeUrl) => RankOf(typeUrl) <= 1;

    /// <summary>Kinds that refer to clusters.</summary>
    public static bool NamesClusters(string typeUrl) => RankOf(typeUrl) is 2 or 3;

    /// <summary>
    /// Listeners and clusters: an empty first list means all of them, and a state-of-the-world response is complete, so that what is missing from it
    /// has been removed.
    /// </summary>
    public static bool IsFullState(string typeUrl) => typeUrl is TypeUrls.Listener or TypeUrls.Cluster;
}
