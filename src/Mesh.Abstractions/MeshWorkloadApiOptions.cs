namespace Mesh;

/// <summary>An agent on this machine that hands out certificates by SDS on a Unix socket: the section <c>Mesh:Identity:WorkloadApi</c>.</summary>
public sealed class MeshWorkloadApiOptions
{
    /// <summary>The socket, as <c>unix:///run/spire/sockets/agent.sock</c> or as a path.</summary>
    /// <value>
    /// Unset by default: what the variable <c>SPIFFE_ENDPOINT_SOCKET</c> names, else <c>/var/run/secrets/workload-spiffe-uds/socket</c>, that of Istio's agent.
    /// </value>
    public string? Socket { get; set; }

    /// <summary>The name that the agent knows the workload's certificate by.</summary>
    /// <value>The default value is <c>default</c>, both SPIRE's and Istio's; SPIRE also takes the SPIFFE identity.</value>
    public string CertificateName { get; set; } = "default";

    /// <summary>The name that the agent knows the trusted authorities by.</summary>
    /// <value>The default value is <c>ROOTCA</c>, both SPIRE's and Istio's; SPIRE's <c>ALL</c> has those of federated trust domains as well.</value>
    public string AuthoritiesName { get; set; } = "ROOTCA";
}
