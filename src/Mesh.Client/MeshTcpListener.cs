using System.Net;

namespace Mesh;

/// <summary>A port of this machine that leads to a service of the mesh.</summary>
/// <param name="Service">The service as the settings name it.</param>
/// <param name="LocalEndPoint">Where it listens.</param>
public sealed record MeshTcpListener(string Service, IPEndPoint LocalEndPoint);
