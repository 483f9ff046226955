namespace Mesh;

/// <summary>Where health probes are answered that cannot speak the mesh's TLS, such as a kubelet's.</summary>
public sealed class MeshHealthOptions
{
    /// <summary>The paths that Kubernetes and ASP.NET applications use for probes.</summary>
    internal static IReadOnlyList<string> UsualPaths { get; } = ["/healthz", "/livez", "/readyz", "/startupz", "/health", "/health/live", "/health/ready", "/health/startup", "/alive", "/ready", "/live"];

    /// <summary>A port of its own, in plain text and without policies, on which the application answers <c>GET</c> and <c>HEAD</c> of its probe paths and of nothing else.</summary>
    /// <value>Unset by default: there is none.</value>
    public int? Port { get; set; }

    /// <summary>The probe paths, exactly as they are asked for.</summary>
    /// <value>Empty by default, which stands for <c>/healthz</c>, <c>/livez</c>, <c>/readyz</c>, <c>/startupz</c>, <c>/health</c>, <c>/health/live</c>, <c>/health/ready</c>, <c>/health/startup</c>, <c>/alive</c>, <c>/ready</c> and <c>/live</c>.</value>
    public IList<string> Paths { get; } = [];
}
