namespace Mesh.ControlPlane;

/// <summary>The authority of a control plane, for code in its own process.</summary>
public interface IMeshCertificateAuthority
{
    /// <summary>The roots that workloads trust now, in PEM.</summary>
    /// <exception cref="InvalidOperationException">There is no root that can be used; the message says why.</exception>
    string Roots { get; }

    /// <summary>How far the change to another root has come.</summary>
    RootRotation Rotation { get; }

    /// <summary>
    /// Begins the change to another root: it is made now and trusted from now on, signs after
    /// <see cref="MeshControlPlaneAuthorityOptions.RootAnnouncement"/>, and the old one is trusted until all that it signed has expired.
    /// </summary>
    /// <exception cref="InvalidOperationException">A root was announced before and does not sign yet, or the roots are given by <see cref="MeshControlPlaneAuthorityOptions.CaCerts"/>.</exception>
    void BeginRootRotation();
}
