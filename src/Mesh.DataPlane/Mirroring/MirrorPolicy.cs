using Mesh.DataPlane.Headers;
using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Mirroring;

/// <summary>Envoy's <c>RequestMirrorPolicy</c>, compiled: where copies of a route's requests go, and which.</summary>
/// <param name="Cluster">The cluster, unless a header names it.</param>
/// <param name="ClusterHeader">The request header that names the cluster.</param>
/// <param name="Fraction">The share that is mirrored; all when <see langword="null"/>.</param>
/// <param name="HostRewrite">The authority of the copies.</param>
/// <param name="AppendsShadow">The authority ends in <c>-shadow</c>, so that logs tell copies from originals.</param>
/// <param name="TraceSampled">Copies belong to the trace of their original (<c>trace_sampled</c>).</param>
/// <param name="Headers">What is done to the copies' headers, one after the other.</param>
internal sealed record MirrorPolicy(
    string? Cluster,
    HeaderName? ClusterHeader,
    Fraction? Fraction,
    string? HostRewrite,
    bool AppendsShadow,
    bool TraceSampled,
    MirrorHeader[] Headers)
{
    /// <summary>The authority of a copy of a request to <paramref name="authority"/>.</summary>
    public string AuthorityOf(string authority)
    {
        authority = HostRewrite ?? authority;
        return AppendsShadow ? authority.Insert(Upstream.RequestTarget.PortStart(authority), "-shadow") : authority;
    }
}
