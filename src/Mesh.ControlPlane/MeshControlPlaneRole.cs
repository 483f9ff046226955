namespace Mesh.ControlPlane;

/// <summary>What may be done at a control plane.</summary>
public enum MeshControlPlaneRole
{
    /// <summary>See who is connected and what was sent. On the control plane's own machine everybody may.</summary>
    StatusReader,

    /// <summary>Change documents, and begin the change to another root. Includes <see cref="StatusReader"/>.</summary>
    ConfigWriter,
}
