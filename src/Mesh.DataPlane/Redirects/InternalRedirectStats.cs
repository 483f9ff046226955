using Mesh.DataPlane.Clusters;

namespace Mesh.DataPlane.Redirects;

/// <summary>Why redirects were handed out that a route wanted followed, by Envoy's names (<c>passthrough_internal_redirect_*</c>).</summary>
internal sealed class InternalRedirectStats
{
    /// <summary><c>bad_location</c>: not an absolute address that a request could go to.</summary>
    public ClusterStats.Cell BadLocation;

    /// <summary><c>unsafe_scheme</c>: from HTTP to HTTPS or back.</summary>
    public ClusterStats.Cell UnsafeScheme;

    /// <summary><c>too_many_redirects</c>.</summary>
    public ClusterStats.Cell TooManyRedirects;

    /// <summary><c>no_route</c>: the address is not the mesh's.</summary>
    public ClusterStats.Cell NoRoute;

    /// <summary><c>predicate</c>: refused by a predicate.</summary>
    public ClusterStats.Cell Predicate;
}
