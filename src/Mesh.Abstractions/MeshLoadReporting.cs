namespace Mesh;

/// <summary>When a process tells its control plane how much it asks of which services, and how they answer (Envoy's load reporting service, LRS).</summary>
public enum MeshLoadReporting
{
    /// <summary>Everything to Mesh's own control plane; to another one what it asks about clusters that it has sent with <c>lrs_server</c>.</summary>
    Auto,

    /// <summary>To any control plane whatever it asks.</summary>
    Always,

    /// <summary>Nothing to anybody.</summary>
    Never,
}
