using System.Net.Sockets;

namespace Mesh;

/// <summary>
/// Makes connections through the mesh, for drivers and clients that speak something other than HTTP and take a stream: a service's <c>tcp</c> and <c>tls</c>
/// routes, weights, subsets, load balancing, outlier detection, connection limits and timeouts apply as they would behind a sidecar. <c>AddMesh()</c> and
/// <c>AddMeshClient()</c> register it.
/// </summary>
/// <remarks>
/// <para>Any handler or driver with a hook for its connections takes it:</para>
/// <code>
/// new SocketsHttpHandler { ConnectCallback = (context, token) =&gt; connector.ConnectAsync(context.DnsEndPoint.Host, context.DnsEndPoint.Port, token) };
/// </code>
/// <code>
/// await using var redis = await connector.ConnectAsync("redis", 6379);
/// await redis.WriteAsync("PING\r\n"u8.ToArray());
/// </code>
/// <para>For drivers that insist on a socket of their own there are <see cref="MeshClientOptions.TcpListeners"/>.</para>
/// </remarks>
public interface IMeshConnector
{
    /// <summary>
    /// Connects to a host. One that the mesh knows is reached by its rules; a name that could only be the mesh's and is not known is refused; every other host
    /// goes by the outbound policy, this machine and loopback addresses past the mesh.
    /// </summary>
    /// <param name="host">A name as code would write it (<c>mysql</c>, <c>mysql.data.svc.cluster.local</c>, <c>db.example.com</c>), or an IP address.</param>
    /// <param name="port">The port of the service, from 1 to 65535.</param>
    /// <param name="cancellationToken">Ends the wait for the connection.</param>
    /// <returns>
    /// The connection, a <see cref="MeshStream"/>: reading and writing at the same time is allowed, disposing closes it. Where the listener of the port decides by
    /// the server name of TLS, the connection is made when the caller's ClientHello has been written, and fails then.
    /// </returns>
    /// <exception cref="SocketException">
    /// There is no connection; the message names host, cluster and reason, and <see cref="Exception.Data"/> has Envoy's response flag under
    /// <c>mesh.response_flags</c>: <c>UF</c>, <c>UH</c>, <c>UO</c>, <c>NR</c>, <c>NC</c>.
    /// </exception>
    /// <exception cref="ArgumentException"><paramref name="host"/> is empty, or no name.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="port"/> is not a port.</exception>
    ValueTask<Stream> ConnectAsync(string host, int port, CancellationToken cancellationToken = default);
}
