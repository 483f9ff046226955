using System.Net;

namespace Mesh.DataPlane.Dns;

/// <summary>
/// The one host of a LOGICAL_DNS cluster: an endpoint that stays while its addresses change. Connections that exist stay where they are, new
/// ones go to the first address of the latest answer.
/// </summary>
internal sealed class LogicalHost(string host, int port) : DnsEndPoint(host, port)
{
    private IPEndPoint? _current;

    /// <summary>Where a new connection goes; unset before the first answer.</summary>
    public IPEndPoint? Current => Volatile.Read(ref _current);

    /// <summary>Where a connection to an endpoint goes now.</summary>
    public static EndPoint AddressOf(EndPoint endpoint) => (endpoint as LogicalHost)?.Current ?? endpoint;

    public void MoveTo(IPAddress address) => Volatile.Write(ref _current, new IPEndPoint(address, Port));

    // Two clusters, or two versions of one, move independently.
    public override bool Equals(object? comparand) => ReferenceEquals(this, comparand);

    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);

    public override string ToString() => $"{Host}:{Port}";
}
