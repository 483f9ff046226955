namespace Mesh.ControlPlane;

/// <summary>The settings of the control plane: the configuration section <c>Mesh:ControlPlane</c>.</summary>
public sealed class MeshControlPlaneOptions
{
    /// <summary>The name of the configuration section.</summary>
    public const string SectionName = "Mesh:ControlPlane";

    /// <summary>The folder of YAML documents, watched while the process runs; relative paths begin at the content root.</summary>
    /// <value>Unset by default: documents come from memory only.</value>
    public string? ConfigFolder { get; set; }

    /// <summary>Take a document although it has fields that are not known, with a warning for each instead of an error.</summary>
    /// <value>The default value is <see langword="false"/>.</value>
    public bool Lenient { get; set; }

    /// <summary>The DNS domain of the mesh's own names: <c>reviews.default.svc.cluster.local</c>.</summary>
    /// <value>The default value is <c>cluster.local</c>, as in Kubernetes.</value>
    public string ClusterDomain { get; set; } = "cluster.local";

    /// <summary>How long a workload whose stream tore without a good-bye is kept (Istio's <c>PILOT_WORKLOAD_ENTRY_GRACE_PERIOD</c>).</summary>
    /// <value>The default value is 10 seconds; zero removes it at once.</value>
    public TimeSpan DisconnectGrace { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the workloads that were known before the control plane restarted have to come back.</summary>
    /// <value>The default value is 30 seconds.</value>
    public TimeSpan RestartGrace { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The file that remembers registered workloads over a restart.</summary>
    /// <value>By default <c>&lt;ConfigFolder&gt;.registrations.json</c>, beside the folder; empty: nothing is remembered.</value>
    public string? RegistrationsFile { get; set; }

    /// <summary>Let workloads on other machines register although nothing proves who they are.</summary>
    /// <value>The default value is <see langword="false"/>: loopback addresses and Unix sockets only; others are served as clients.</value>
    public bool AllowUnauthenticatedRegistration { get; set; }

    /// <summary>How long nothing may change before what changed is sent (Istio's <c>PILOT_DEBOUNCE_AFTER</c>).</summary>
    /// <value>The default value is 10 milliseconds (Istio: 100), so that a saved file is live at once; zero sends every change by itself.</value>
    public TimeSpan PushDebounce { get; set; } = TimeSpan.FromMilliseconds(10);

    /// <summary>How long a steady stream of changes may put sending off (Istio's <c>PILOT_DEBOUNCE_MAX</c>).</summary>
    /// <value>The default value is 100 milliseconds (Istio: 10 seconds).</value>
    public TimeSpan PushDebounceMax { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The authority that gives workloads their certificates.</summary>
    public MeshControlPlaneAuthorityOptions CertificateAuthority { get; } = new();

    /// <summary>Whom the control plane believes.</summary>
    public MeshControlPlaneAuthenticationOptions Authentication { get; } = new();

    /// <summary>What it wants to be told of who calls whom.</summary>
    public MeshControlPlaneLoadOptions Load { get; } = new();

    /// <summary>What is done as older versions of Istio did it; read from the section <c>Mesh:Compat</c> too.</summary>
    public MeshCompatOptions Compat { get; } = new();
}
