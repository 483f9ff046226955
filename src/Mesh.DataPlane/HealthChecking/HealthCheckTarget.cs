using System.Net;
using Mesh.DataPlane.Transports;

namespace Mesh.DataPlane.HealthChecking;

/// <summary>Where a probe goes.</summary>
/// <param name="Address">The address that is checked, which need not be the one that serves.</param>
/// <param name="Hostname">What the host is called when the check names none: the endpoint's own name for checks, or else the cluster's.</param>
/// <param name="EndpointHostname">The endpoint's own name for checks; before the check's.</param>
/// <param name="IsSecure">The host is spoken to in TLS, by checks as by requests.</param>
/// <param name="Connect">Makes the connections for checks over HTTP, and all that are secure.</param>
internal sealed record HealthCheckTarget(EndPoint Address, string Hostname, string? EndpointHostname, bool IsSecure, Func<UpstreamProtocol, IEndpointTransport> Connect);
