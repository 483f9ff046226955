namespace Mesh.DataPlane.Transports;

/// <summary>What makes two connection pools to one address different.</summary>
/// <param name="Protocol">The version of HTTP spoken to the endpoint.</param>
/// <param name="ConnectTimeout">Envoy's <c>connect_timeout</c>, 5 seconds when unset.</param>
internal sealed record TransportSettings(UpstreamProtocol Protocol, TimeSpan ConnectTimeout);
