namespace Mesh.DataPlane.Resources;

/// <summary>What the control plane says of an endpoint, as Envoy uses it.</summary>
internal enum EndpointHealth
{
    /// <summary>HEALTHY or UNKNOWN.</summary>
    Healthy,

    /// <summary>DEGRADED: used when the healthy ones do not suffice.</summary>
    Degraded,

    /// <summary>UNHEALTHY, DRAINING or TIMEOUT: used in panic only.</summary>
    Unhealthy,
}
