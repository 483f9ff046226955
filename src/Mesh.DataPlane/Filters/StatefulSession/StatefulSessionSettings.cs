using System.Net;
using Cookie = Envoy.Type.Http.V3.Cookie;

namespace Mesh.DataPlane.Filters.StatefulSession;

/// <summary>One level's <c>StatefulSession</c>, compiled.</summary>
internal sealed record StatefulSessionSettings
{
    public Cookie? Cookie { get; init; }

    public string? Header { get; init; }

    /// <summary>Strict: the status when the session's endpoint may not be picked; <see langword="null"/> when another one will do.</summary>
    public HttpStatusCode? StatusWhenMissing { get; init; }
}
