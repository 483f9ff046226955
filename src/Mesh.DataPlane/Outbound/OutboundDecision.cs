using System.Net;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.Routing;

namespace Mesh.DataPlane.Outbound;

/// <summary>What the outbound policy says of one request.</summary>
/// <param name="Verdict">What becomes of it.</param>
/// <param name="Reason">Who says so, in words that begin a sentence's second half: <c>the outbound traffic policy is REGISTRY_ONLY …</c>.</param>
internal readonly record struct OutboundDecision(OutboundVerdict Verdict, string Reason)
{
    /// <summary>What the requests of this host go by, when they are routed.</summary>
    public HostEntry? Entry { get; init; }

    /// <summary>Where they are routed, for what is no request.</summary>
    public RouteAction? Action { get; init; }

    /// <summary>The status of a refusal.</summary>
    public HttpStatusCode Status { get; init; } = HttpStatusCode.BadGateway;

    /// <summary>The body of a refusal; Istio's is empty.</summary>
    public byte[] Body { get; init; } = [];
}
