namespace Mesh.ControlPlane.Registry;

/// <summary>How long the registry believes in a workload that it cannot see.</summary>
/// <param name="DisconnectGrace">After its stream tore.</param>
/// <param name="RestartGrace">After the control plane itself restarted.</param>
/// <param name="AllowUnauthenticatedRegistration">Whether workloads on other machines may register although nothing proves who they are.</param>
internal sealed record ServiceRegistryOptions(TimeSpan DisconnectGrace, TimeSpan RestartGrace, bool AllowUnauthenticatedRegistration);
