namespace Mesh.ControlPlane;

/// <summary>Switches that bring back what older versions of Istio did: the configuration section <c>Mesh:Compat</c>.</summary>
public sealed class MeshCompatOptions
{
    /// <summary>The name of the configuration section.</summary>
    public const string SectionName = "Mesh:Compat";

    /// <summary>
    /// Retry a response of 503 where a route does not say what is retried, as Istio did before it found that unsafe for requests that
    /// may not be sent twice.
    /// </summary>
    /// <value>The default value is <see langword="false"/>: connection failures, refused streams and the gRPC statuses unavailable and cancelled.</value>
    public bool Retry503 { get; set; }
}
