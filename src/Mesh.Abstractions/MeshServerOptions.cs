namespace Mesh;

/// <summary>How this workload registers, serves and leaves.</summary>
public sealed class MeshServerOptions
{
    /// <summary>Register this workload's addresses with the control plane once the server listens.</summary>
    /// <value>The default value is <see langword="true"/>.</value>
    public bool Register { get; set; } = true;

    /// <summary>How long a graceful stop waits for every client to have taken this workload out of its endpoints.</summary>
    /// <value>The default value is 5 seconds.</value>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(5);
}
