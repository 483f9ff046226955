namespace Mesh;

/// <summary>What happens to outbound requests.</summary>
public sealed class MeshClientOptions
{
    /// <summary>Send every client of the <c>IHttpClientFactory</c> through the mesh; otherwise only those that call <c>AddMesh()</c>.</summary>
    /// <value>The default value is <see langword="true"/>.</value>
    public bool AllClients { get; set; } = true;

    /// <summary>What happens to a host that the mesh does not know.</summary>
    /// <value>The default value is <see cref="OutboundTrafficMode.AllowAny"/>.</value>
    public OutboundTrafficMode OutboundTrafficPolicy { get; set; } = OutboundTrafficMode.AllowAny;

    /// <summary>
    /// How long the first request to a host outside the mesh waits for the control plane to say whether it knows the host. A control plane that speaks
    /// the incremental variant always says so: as long as it can be reached, its answer is waited for up to <see cref="MeshXdsOptions.ResourceTimeout"/>.
    /// </summary>
    /// <value>The default value is 250 milliseconds.</value>
    public TimeSpan UnknownHostTimeout { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How long "the control plane does not know this host" is remembered.</summary>
    /// <value>The default value is 60 seconds.</value>
    public TimeSpan UnknownHostCacheDuration { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How many hosts may be subscribed on demand; the least recently used goes first.</summary>
    /// <value>The default value is 1,000.</value>
    public int MaxOnDemandHosts { get; set; } = 1000;

    /// <summary>After how long without a request an on-demand host is unsubscribed.</summary>
    /// <value>The default value is 10 minutes.</value>
    public TimeSpan OnDemandIdleTimeout { get; set; } = TimeSpan.FromMinutes(10);
}
