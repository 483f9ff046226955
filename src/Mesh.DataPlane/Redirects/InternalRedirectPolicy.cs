using System.Net;
using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Redirects;

/// <summary>Envoy's <c>InternalRedirectPolicy</c>, compiled: which of an upstream's redirects are followed here, so that the caller never sees them.</summary>
internal sealed record InternalRedirectPolicy
{
    /// <summary>How many redirects a request may have followed in all before one of this route's is handed out.</summary>
    public uint MaxRedirects { get; init; } = 1;

    /// <summary>The statuses that are followed.</summary>
    public IReadOnlyList<HttpStatusCode> Statuses { get; init; } = [HttpStatusCode.Found];

    /// <summary>Between HTTP and HTTPS as well.</summary>
    public bool AllowsCrossScheme { get; init; }

    /// <summary>Predicate <c>previous_routes</c>: this route leads to no route twice.</summary>
    public bool RefusesPreviousRoutes { get; init; }

    /// <summary>Predicate <c>safe_cross_scheme</c>: never from HTTP to HTTPS.</summary>
    public bool RefusesToHttps { get; init; }

    /// <summary>Predicates <c>allow_listed_routes</c>: the names of routes, all of which lists must have the target's.</summary>
    public IReadOnlyList<IReadOnlySet<string>> AllowedRoutes { get; init; } = [];

    /// <summary>Headers of the redirect that the next request gets; where the redirect has none, the request's own goes.</summary>
    public IReadOnlyList<HeaderName> HeadersToCopy { get; init; } = [];

    public bool Follows(HttpStatusCode status)
    {
        foreach (var followed in Statuses)
        {
            if (followed == status)
            {
                return true;
            }
        }

        return false;
    }
}
