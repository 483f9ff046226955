namespace Mesh;

/// <summary>What happens to outbound requests.</summary>
public sealed class MeshClientOptions
{
    /// <summary>Send every client of the <c>IHttpClientFactory</c> through the mesh; otherwise only those that call <c>AddMesh()</c>.</summary>
    /// <value>The default value is <see langword="true"/>.</value>
    public bool AllClients { get; set; } = true;

    /// <summary>What happens to a host that the mesh does not know, whatever the control plane says.</summary>
    /// <value>
    /// Unset by default: the control plane decides (Istio's <c>outboundTrafficPolicy</c> of MeshConfig or Sidecar); one that says nothing allows all.
    /// </value>
    public OutboundTrafficMode? OutboundTrafficPolicy { get; set; }

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

    /// <summary>How callers get to know that the mesh has answered itself; a client may say otherwise by <c>UseMeshLocalReplies</c>.</summary>
    /// <value>The default value is <see cref="LocalReplyMode.Response"/>.</value>
    public LocalReplyMode LocalReplies { get; set; } = LocalReplyMode.Response;

    /// <summary>
    /// How long a connection of <c>IMeshConnector</c> or <see cref="TcpListeners"/> may go on after the configuration that it was made by has changed (Istio's
    /// <c>drainDuration</c>). Requests need none: they follow at once.
    /// </summary>
    /// <value>The default value is 45 seconds; zero closes such connections at once.</value>
    public TimeSpan DrainDuration { get; set; } = TimeSpan.FromSeconds(45);

    /// <summary>Services that are reached by a port of this machine, for drivers that make their connections themselves.</summary>
    /// <value>Empty by default.</value>
    public IList<MeshTcpListenerOptions> TcpListeners { get; } = [];

    /// <summary>
    /// Whom to ask for the addresses of hosts that are found by name (<c>STRICT_DNS</c>, <c>LOGICAL_DNS</c>, a ServiceEntry of resolution <c>DNS</c>),
    /// as <c>ip</c> or <c>ip:port</c>, at most three, asked in order. <c>search</c> and the options of <c>resolv.conf</c> hold for them too. A client's
    /// own primary handler, which sends what is not the mesh's, goes on to ask the operating system.
    /// </summary>
    /// <value>Empty by default: the servers of <c>/etc/resolv.conf</c>; where there is none, the operating system.</value>
    public IList<string> DnsServers { get; } = [];

    /// <summary>
    /// Makes a listener of the mesh on loopback the process's <see cref="HttpClient.DefaultProxy"/>, so that clients which nobody gave to the mesh
    /// (<c>new HttpClient()</c>, those inside of SDKs) go through it: plain HTTP with everything, <c>https</c> by host. It is the process's, not the
    /// container's: clients that have sent before, and those that have a proxy of their own or none, are not changed. Only this process may use it.
    /// </summary>
    /// <value>The default value is <see langword="false"/>: a library should not change what every other one in the process does unless asked to.</value>
    public bool DefaultProxy { get; set; }

    /// <summary>
    /// Names each host that this process connects to beside the mesh, once, in the log: by an <c>HttpClient</c> that is not the factory's, by a
    /// driver's own socket. It looks at the runtime's events of connections, not of requests.
    /// </summary>
    /// <value>The default value is <see langword="true"/>.</value>
    public bool WatchBypass { get; set; } = true;

    /// <summary>The file of names that no server is asked for, in the format of <c>hosts(5)</c>; read again when it has changed.</summary>
    /// <value>Unset by default: <c>/etc/hosts</c>.</value>
    public string? HostsFile { get; set; }
}
