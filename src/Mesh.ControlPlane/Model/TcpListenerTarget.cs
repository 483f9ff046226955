namespace Mesh.ControlPlane.Model;

/// <summary>A port of a service that is not HTTP, at one of its addresses.</summary>
/// <param name="Service">The service.</param>
/// <param name="Port">The port.</param>
/// <param name="Subnet">The service's addresses where it has many; <see langword="null"/>: the address is the listener's, or it has none.</param>
internal sealed record TcpListenerTarget(MeshService Service, MeshServicePort Port, string? Subnet);
