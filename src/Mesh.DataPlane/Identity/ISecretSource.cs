using Mesh.DataPlane.Tls;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Identity;

/// <summary>Where secrets come from that the process has by itself, as a sidecar has them from its agent.</summary>
internal interface ISecretSource
{
    /// <summary>The name of the process's own certificate and key (Istio's SDS name).</summary>
    const string Certificate = "default";

    /// <summary>The name of the authorities that sign for the mesh (Istio's SDS name).</summary>
    const string Authorities = "ROOTCA";

    /// <summary>Tells of a secret at once if it is there, and of every one that follows.</summary>
    /// <param name="name"><see cref="Certificate"/> or <see cref="Authorities"/>.</param>
    /// <param name="watcher">Who wants to know.</param>
    /// <returns>Ends the watch.</returns>
    IDisposable Watch(string name, IResourceWatcher<SecretResource> watcher);
}
