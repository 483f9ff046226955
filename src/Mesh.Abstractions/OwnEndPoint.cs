using System.Net;

namespace Mesh;

/// <summary>An address that the mesh itself listens on, such as that of its control plane: policies of workloads do not cover it.</summary>
/// <param name="address">The address.</param>
/// <param name="port">The port; zero for a free one.</param>
internal sealed class OwnEndPoint(IPAddress address, int port) : IPEndPoint(address, port);
