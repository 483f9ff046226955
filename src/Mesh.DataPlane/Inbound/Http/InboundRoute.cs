using Mesh.DataPlane.Routing;

namespace Mesh.DataPlane.Inbound.Http;

/// <summary>Where a request that came in goes: nowhere without a route.</summary>
internal readonly record struct InboundRoute(VirtualHost? Host, RouteEntry? Route);
