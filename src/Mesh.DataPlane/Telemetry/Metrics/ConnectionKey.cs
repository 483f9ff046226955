using Mesh.DataPlane.Telemetry.Peers;
using Mesh.Xds.Metrics;

namespace Mesh.DataPlane.Telemetry.Metrics;

/// <summary>All that tells one label set of connections from another.</summary>
/// <param name="Peer">Who is at the other end.</param>
/// <param name="Service">Which service the connection was for.</param>
/// <param name="Principals">Who both ends have proven to be.</param>
/// <param name="Flags">Envoy's response flags.</param>
/// <param name="Expressed">Values of the operator's own expressions; <see langword="null"/> where there are none.</param>
internal readonly record struct ConnectionKey(Peer Peer, ServiceNames Service, Principals Principals, string Flags, string[]? Expressed)
{
    /// <summary>The same without anything that a stranger could make up.</summary>
    public ConnectionKey Collapsed() => new(Peer.Overflow, ServiceNames.Overflow, Principals.None, Flags, RequestKey.Overflowing(Expressed));

    public bool Equals(ConnectionKey other)
        => Peer.Equals(other.Peer) && Service.Equals(other.Service) && Principals.Equals(other.Principals) && Flags == other.Flags
            && Expressed.AsSpan().SequenceEqual(other.Expressed);

    public override int GetHashCode()
    {
        var hash = HashCode.Combine(Peer, Service, Principals, Flags);
        return Expressed is null ? hash : (hash * 31) + LabelValuesComparer.Instance.GetHashCode(Expressed);
    }
}
