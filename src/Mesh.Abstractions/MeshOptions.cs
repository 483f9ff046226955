namespace Mesh;

/// <summary>The settings of the mesh in this process: the configuration section <c>Mesh</c>.</summary>
public sealed class MeshOptions
{
    /// <summary>The name of the configuration section.</summary>
    public const string SectionName = "Mesh";

    /// <summary>Who this process is in the mesh.</summary>
    public MeshWorkload Workload { get; set; } = new();

    /// <summary>Where the configuration comes from.</summary>
    public MeshXdsOptions Xds { get; set; } = new();

    /// <summary>What happens to outbound requests.</summary>
    public MeshClientOptions Client { get; set; } = new();

    /// <summary>How this workload serves and leaves.</summary>
    public MeshServerOptions Server { get; set; } = new();

    /// <summary>Where this workload's certificate comes from, and whom it trusts.</summary>
    public MeshIdentityOptions Identity { get; set; } = new();

    /// <summary>Where probes are answered that cannot speak the mesh's TLS.</summary>
    public MeshHealthOptions Health { get; set; } = new();

    /// <summary>Where this process shows what it believes of the mesh.</summary>
    public MeshAdminOptions Admin { get; set; } = new();

    /// <summary>What this process counts.</summary>
    public MeshMetricsOptions Metrics { get; set; } = new();

    /// <summary>The access log of the application's own, and what a control plane may do about others.</summary>
    public MeshAccessLogOptions AccessLog { get; set; } = new();

    /// <summary>What is done about traces beside what the configuration says.</summary>
    public MeshTracingOptions Tracing { get; set; } = new();

    /// <summary>Hosts that have to be warm before the application reports ready, as written in code: <c>reviews:9080</c>.</summary>
    public IList<string> Preload { get; } = [];

    /// <summary>The DNS domain of the mesh's own names (<c>*.svc.<see cref="ClusterDomain"/></c>).</summary>
    /// <value>The default value is <c>cluster.local</c>.</value>
    public string ClusterDomain { get; set; } = "cluster.local";
}
