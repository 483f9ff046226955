using System.Net;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Headers;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Redirects;
using Mesh.DataPlane.Routing;

namespace Mesh.DataPlane.Resources;

/// <summary>A decoded route configuration: validated, its matchers compiled, its clusters still names.</summary>
internal sealed record RouteConfigurationResource(string Name, bool IgnorePort, VirtualHostResource[] VirtualHosts) : Resource;

/// <summary>A decoded virtual host.</summary>
internal sealed record VirtualHostResource(string Name, string[] Domains, RouteResource[] Routes)
{
    /// <summary>Requests in clear text are sent to HTTPS.</summary>
    public bool RequiresTls { get; init; }
}

/// <summary>A decoded route.</summary>
internal sealed record RouteResource(string Name, RouteMatch Match, RouteActionResource Action, RoutePolicy Policy)
{
    /// <summary>What is said of it; routes of which the same is said share it.</summary>
    public ResourceMetadata? Metadata { get; init; }
}

/// <summary>A decoded route action; exactly one of the members is set.</summary>
internal sealed record RouteActionResource(
    HttpStatusCode ClusterNotFound = HttpStatusCode.ServiceUnavailable,
    WeightedClusterResource[]? Clusters = null,
    HeaderName? ClusterHeader = null,
    (HttpStatusCode Status, byte[] Body)? Response = null,
    Redirect? Redirect = null,
    string? Unsupported = null,
    bool ToApplication = false);

/// <summary>One cluster that a route leads to.</summary>
internal sealed record WeightedClusterResource(string Name, uint Weight)
{
    /// <summary>What it says to the listener's HTTP filters.</summary>
    public FilterConfigLevel? FilterConfigs { get; init; }

    public HeaderMutations? RequestHeaders { get; init; }

    public HeaderMutations? ResponseHeaders { get; init; }

    public string? HostRewrite { get; init; }

    /// <summary>It has nothing of its own but its name.</summary>
    public bool IsPlain => this is { FilterConfigs: null, RequestHeaders: null, ResponseHeaders: null, HostRewrite: null };
}
