namespace Mesh;

/// <summary>What the mesh does about traces beside what its configuration says.</summary>
public sealed class MeshTracingOptions
{
    /// <summary>
    /// Whether the mesh has a part in traces at all: makes spans, carries the context of traces and <c>x-request-id</c> on. Without it requests go out
    /// with what the application has put on them, whatever the control plane says.
    /// </summary>
    /// <value>The default value is <see langword="true"/>.</value>
    public bool Enabled { get; set; } = true;

    /// <summary>What spans name as their service (ProxyConfig's <c>tracingServiceName</c>).</summary>
    /// <value>The default value is <see cref="MeshTracingServiceName.AppLabelAndNamespace"/>: <c>productpage.default</c>.</value>
    public MeshTracingServiceName ServiceName { get; set; }

    /// <summary>A Zipkin collector (<c>http://zipkin:9411/api/v2/spans</c>) that gets the spans of requests whose listener names no collector. It is asked directly, not through the mesh.</summary>
    /// <value>Unset by default: there is none.</value>
    public Uri? ZipkinEndpoint { get; set; }

    /// <summary>A collector of OpenTelemetry (<c>http://collector:4318/v1/traces</c>, protobuf over HTTP) that gets the spans of requests whose listener names no collector. It is asked directly, not through the mesh.</summary>
    /// <value>Unset by default: there is none.</value>
    public Uri? OtlpEndpoint { get; set; }

    /// <summary>How many in a hundred traces are recorded that begin here, where neither the application has a sampler nor the listener says a rate. From 0 to 100.</summary>
    /// <value>The default value is 1, as Istio's.</value>
    public double Sampling { get; set; } = 1;

    /// <summary>
    /// The names of further environment variables that the mesh's configuration may put into spans (Telemetry's <c>customTags</c> of kind
    /// <c>environment</c>, Envoy's <c>custom_tags</c>). Whoever configures the mesh reads their values wherever spans go: name none that is secret.
    /// </summary>
    /// <value>Empty by default: what Kubernetes says of the pod can be read (<c>HOSTNAME</c>, <c>POD_NAME</c>, <c>POD_NAMESPACE</c>, <c>POD_IP</c>, <c>INSTANCE_IP</c>, <c>NODE_NAME</c>, <c>HOST_IP</c>, <c>SERVICE_ACCOUNT</c>, <c>ISTIO_META_WORKLOAD_NAME</c>, <c>ISTIO_META_CLUSTER_ID</c>, <c>ISTIO_META_MESH_ID</c>), and nothing else.</value>
    public IList<string> EnvironmentVariables { get; } = [];

    /// <summary>Addresses in spans end at the question mark, as .NET's own do: what follows may be secret.</summary>
    /// <value>The default value is <see langword="true"/>.</value>
    public bool RedactQuery { get; set; } = true;
}
