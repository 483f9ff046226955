using System.Net;

namespace Mesh;

/// <summary>
/// The ports of this machine by which drivers reach services of the mesh (<see cref="MeshClientOptions.TcpListeners"/>); there when the application has
/// started.
/// </summary>
public interface IMeshTcpListeners
{
    /// <summary>Those that listen, in the order of the settings.</summary>
    IReadOnlyList<MeshTcpListener> All { get; }

    /// <summary>Where a service is reached: what a connection string names in its place.</summary>
    /// <param name="service">The service as the settings name it: <c>mysql:3306</c>.</param>
    /// <exception cref="InvalidOperationException">No listener is for it, or the application has not started yet; the message says which.</exception>
    IPEndPoint EndPointOf(string service);
}
