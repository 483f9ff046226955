using System.Net;

namespace Mesh.DataPlane.HealthChecking;

/// <summary>What one endpoint asks of its checks (<c>envoy.config.endpoint.v3.Endpoint.HealthCheckConfig</c>).</summary>
/// <param name="Port">Another port than the one that serves; 0 for none.</param>
/// <param name="Hostname">What the host is called in checks; <see langword="null"/> leaves that to the check.</param>
/// <param name="Address">Another address than the one that serves.</param>
/// <param name="Disabled">Not checked: as healthy as the control plane says.</param>
internal sealed record EndpointHealthCheck(ushort Port, string? Hostname, EndPoint? Address, bool Disabled);
