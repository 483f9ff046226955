using System.Security.Cryptography.X509Certificates;
using Mesh.DataPlane.Inbound;
using Mesh.Identity;

namespace Mesh.Server.Identity;

/// <summary>What is known of the peer of one connection: a feature of the connection, which its requests find.</summary>
internal class MeshPeerFeature(ConnectionFacts facts) : IMeshPeerFeature
{
    protected ConnectionFacts Facts { get; } = facts;

    public SpiffeId? Identity => Facts.IsMutualTls ? Facts.PeerIdentity : null;

    public bool IsMutualTls => Facts.IsMutualTls;

    public X509Certificate2? Certificate => Facts.PeerCertificate;

    public virtual string? RequestPrincipal => null;
}
