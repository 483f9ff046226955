namespace Mesh;

/// <summary>How the process reaches its control plane.</summary>
public sealed class MeshXdsOptions
{
    /// <summary>The ADS server: <c>http://host:15010</c> (plain text), <c>https://host:15012</c>, <c>unix:///path</c>, <c>dns:///host:port</c> or a bare <c>host:port</c>.</summary>
    /// <value>Unset by default: the bootstrap file named by <c>GRPC_XDS_BOOTSTRAP</c> or the text in <c>GRPC_XDS_BOOTSTRAP_CONFIG</c> decides.</value>
    public string? Server { get; set; }

    /// <summary>Further servers with the same configuration, in the order in which they are asked while <see cref="Server"/> cannot be reached (gRFC A71).</summary>
    public IList<string> AlternateServers { get; } = [];

    /// <summary>
    /// The file with the token that proves to the server who asks: a join token, or a service account's. It is read again for every stream, and not sent in
    /// clear text, unless to this machine. The workload's own certificate is shown to a server on TLS in any case.
    /// </summary>
    /// <value>Unset by default: that of <c>Mesh:Identity:CertificateAuthority:TokenFile</c>, if there is such a file.</value>
    public string? TokenFile { get; set; }

    /// <summary>The file with the authorities (PEM) of whom the certificate of a server on TLS must be.</summary>
    /// <value>Unset by default: those of the system.</value>
    public string? RootCertificates { get; set; }

    /// <summary>Speak the incremental (delta) variant of the protocol.</summary>
    /// <value>The default value is <see langword="true"/>; a server that does not implement it is spoken to in the state-of-the-world variant.</value>
    public bool Delta { get; set; } = true;

    /// <summary>How long a resource that was asked for may stay unanswered until it counts as non-existent (xDS protocol; Envoy's <c>initial_fetch_timeout</c>).</summary>
    /// <value>The default value is 15 seconds.</value>
    public TimeSpan ResourceTimeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>The time between HTTP/2 pings on the stream to the control plane.</summary>
    /// <value>The default value is 5 minutes, the most frequent that a grpc-go server takes by default; Mesh's own control plane takes 30 seconds as well.</value>
    public TimeSpan? KeepAliveInterval { get; set; }

    /// <summary>When the control plane is told how much this process asks of which services, and how they answer (LRS).</summary>
    /// <value>The default value is <see cref="MeshLoadReporting.Auto"/>: everything to Mesh's own control plane, to another one what it asks for.</value>
    public MeshLoadReporting LoadReporting { get; set; }
}
