using System.Globalization;

namespace Mesh.ControlPlane.Debug;

/// <summary>Which control plane this is, of several.</summary>
internal static class ControlPlaneInstance
{
    /// <summary>In Kubernetes the pod; elsewhere machine and process.</summary>
    public static string Name { get; } = Environment.GetEnvironmentVariable("POD_NAME") is { Length: > 0 } pod
        ? pod
        : string.Create(CultureInfo.InvariantCulture, $"mesh-{Environment.MachineName}-{Environment.ProcessId}").ToLowerInvariant();
}
