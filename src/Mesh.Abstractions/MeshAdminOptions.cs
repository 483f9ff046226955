namespace Mesh;

/// <summary>
/// Where a process shows what it believes of the mesh: its configuration, endpoints, certificates, counters, and why a request went where it went.
/// </summary>
public sealed class MeshAdminOptions
{
    /// <summary>
    /// A port of its own, in plain text, outside the mesh's TLS and policies. <c>0</c> is one that is free. Istio's sidecars have theirs on 15000, and
    /// their metrics on 15020.
    /// </summary>
    /// <value>Unset by default: there is none.</value>
    public int? Port { get; set; }

    /// <summary>
    /// The IP address that <see cref="Port"/> is bound to: <c>127.0.0.1</c>, <c>::1</c>, <c>10.0.0.5</c>; <c>*</c> stands for every address of the machine.
    /// Whoever reaches an address that is not loopback may read everything here; changes are taken from this machine only.
    /// </summary>
    /// <value>The default value is <c>127.0.0.1</c>.</value>
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>
    /// Names by which the port may be asked for, beside <c>localhost</c> and IP addresses: <c>reviews.example.com</c>. A request for any other name is
    /// refused, since a browser may have been led here by a name that is not ours (DNS rebinding).
    /// </summary>
    /// <value>Empty by default.</value>
    public IList<string> AllowedHosts { get; } = [];

    /// <summary>
    /// Lets <c>app.MapMeshAdmin(…)</c> answer callers from everywhere who need no authorization. Rather say
    /// <c>app.MapMeshAdmin(…).RequireAuthorization(…)</c>.
    /// </summary>
    /// <value>The default value is <see langword="false"/>: only callers on this machine who come directly, unless the application authorizes them.</value>
    public bool AllowRemote { get; set; }

    /// <summary>
    /// How many of the last decisions on outgoing requests are kept from the start on, for <c>/decisions</c> to explain; <c>0</c> keeps none until somebody
    /// asks for some there.
    /// </summary>
    /// <value>The default value is 0; at most 10,000.</value>
    public int RecordedDecisions { get; set; }
}
