namespace Mesh.Xds.Serving;

/// <summary>What may have changed since the last push: kinds, and for each the names (<see langword="null"/>: any name).</summary>
internal sealed record AdsChange(IReadOnlyDictionary<string, IReadOnlySet<string>?> ByType)
{
    /// <summary>Nothing of what may be named has changed.</summary>
    public static AdsChange Nothing { get; } = new(new Dictionary<string, IReadOnlySet<string>?>());

    /// <summary>The nodes that may see anything differently, whatever its name; <see langword="null"/>: none.</summary>
    public Func<IAdsNodeView, bool>? EverythingFor { get; init; }

    /// <summary>Anything may have changed.</summary>
    public static AdsChange Everything { get; } = new(new Dictionary<string, IReadOnlySet<string>?>
    {
        [Ads.TypeUrls.Cluster] = null,
        [Ads.TypeUrls.ClusterLoadAssignment] = null,
        [Ads.TypeUrls.Listener] = null,
        [Ads.TypeUrls.RouteConfiguration] = null,
    });
}
