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

    /// <summary>
    /// Let the mesh decide who may come in by the TCP ports of this workload's server: their listeners are asked for, and a port whose listener does
    /// not come refuses everybody.
    /// </summary>
    /// <value>The default value is <see langword="true"/>; a server without a control plane sets it to <see langword="false"/>.</value>
    public bool Inbound { get; set; } = true;

    /// <summary>Ports that the mesh leaves alone: whoever reaches them is let in, unencrypted and unknown.</summary>
    /// <value>Empty by default.</value>
    public IList<int> AllowUnmeshed { get; } = [];

    /// <summary>
    /// How long a connection may go on that the policy of its port would not let in any more: plain text after <c>STRICT</c>, a certificate whose
    /// authority is trusted no longer (Istio's <c>drainDuration</c>).
    /// </summary>
    /// <value>The default value is 45 seconds.</value>
    public TimeSpan DrainDuration { get; set; } = TimeSpan.FromSeconds(45);

    /// <summary>
    /// End a connection that a client would keep beyond the certificates it was made with, after draining it for <see cref="DrainDuration"/>; Envoy lets
    /// it live.
    /// </summary>
    /// <value>The default value is <see langword="true"/>.</value>
    public bool EndConnectionsWithCertificate { get; set; } = true;

    /// <summary>
    /// Serve requests that have a <c>content-length</c> beside a <c>transfer-encoding</c>, or a transfer coding other than <c>chunked</c>. They are
    /// refused otherwise, as Envoy does by default: whoever passed them on may have seen their end elsewhere (request smuggling).
    /// </summary>
    /// <value>The default value is <see langword="false"/>.</value>
    public bool AllowAmbiguousFraming { get; set; }

    /// <summary>
    /// Read lines of HTTP/1.1 that end with LF alone, which is Kestrel's own default. They are refused otherwise, in the whole process, unless the
    /// application sets the switch <c>Microsoft.AspNetCore.Server.Kestrel.DisableHttp1LineFeedTerminators</c> itself.
    /// </summary>
    /// <value>The default value is <see langword="false"/>.</value>
    public bool AllowBareLineFeeds { get; set; }

    /// <summary>
    /// Let policies read paths as ASP.NET Core's routing does: without regard to case, and <c>/admin/</c> as <c>/admin</c>. Envoy reads every byte; with
    /// this set a policy for <c>/admin</c> is one for <c>/Admin</c> and <c>/admin/</c>, which lead to the same endpoint.
    /// </summary>
    /// <value>The default value is <see langword="false"/>.</value>
    public bool CaseInsensitivePaths { get; set; }
}
