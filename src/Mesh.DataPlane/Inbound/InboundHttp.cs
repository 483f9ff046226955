using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Inbound.Http;
using Mesh.DataPlane.Resources;

namespace Mesh.DataPlane.Inbound;

/// <summary>What a chain says of requests (Envoy's <c>HttpConnectionManager</c> of an inbound listener).</summary>
/// <param name="Routes">The routes, which are the listener's own.</param>
/// <param name="Filters">The HTTP filters in their order, without the router.</param>
/// <param name="Settings">What happens to requests before the filters, and to responses after them.</param>
internal sealed record InboundHttp(RouteConfigurationResource Routes, ListenerFilter[] Filters, InboundHttpSettings Settings);
