namespace Mesh;

/// <summary>A service that is reached by a port of this machine: one entry of <see cref="MeshClientOptions.TcpListeners"/>.</summary>
/// <remarks>
/// <code>
/// { "Mesh": { "Client": { "TcpListeners": [ { "Service": "mysql:3306", "Listen": "127.0.0.1:13306" } ] } } }
/// </code>
/// </remarks>
public sealed class MeshTcpListenerOptions
{
    /// <summary>The service as code would name it, with its port: <c>mysql:3306</c>, <c>mongo.ratings.svc.cluster.local:27017</c>. Required.</summary>
    public string Service { get; set; } = "";

    /// <summary>
    /// Where to listen: a loopback address and a port. With port 0 the operating system finds a free one, which <c>IMeshTcpListeners</c> tells once the
    /// application has started.
    /// </summary>
    /// <value>The default value is <c>127.0.0.1:0</c>.</value>
    public string Listen { get; set; } = "127.0.0.1:0";

    /// <summary>How many connections there may be at a time; further ones wait to be accepted.</summary>
    /// <value>The default value is 1,024.</value>
    public int MaxConnections { get; set; } = 1024;

    /// <summary>How long connections may go on when the application stops, before they are cut.</summary>
    /// <value>The default value is 5 seconds.</value>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(5);
}
