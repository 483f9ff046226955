namespace Mesh.ControlPlane.Model;

/// <summary>A port of a service.</summary>
/// <param name="Name">Its name; empty when it has none.</param>
/// <param name="Number">What clients call.</param>
/// <param name="Protocol">What is spoken on it.</param>
/// <param name="TargetPort">The workload's port: a number, the name of a port, or empty for the same number.</param>
internal sealed record MeshServicePort(string Name, uint Number, PortProtocol Protocol, string TargetPort);
