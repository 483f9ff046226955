namespace Mesh.ControlPlane;

/// <summary>How far the change from one root to another has come.</summary>
public enum RootRotation
{
    /// <summary>One root signs and is trusted.</summary>
    None,

    /// <summary>A new root is trusted already; the old one still signs.</summary>
    Announced,

    /// <summary>The new root signs; the old one is trusted for as long as certificates that it signed may be in use.</summary>
    Overlap,
}
