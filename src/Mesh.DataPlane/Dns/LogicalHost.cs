using System.Net;

namespace Mesh.DataPlane.Dns;

/// <summary>
/// The one host of a LOGICAL_DNS cluster: an endpoint that stays while its addresses change. Connections that exist stay where they are, new
/// ones go to the first address of the latest answer that can be reached.
/// </summary>
internal sealed class LogicalHost(string host, int port) : DnsEndPoint(host, port)
{
    private IReadOnlyList<IPEndPoint> _addresses = [];

    /// <summary>Where new connections go, in order; none before the first answer.</summary>
    public IReadOnlyList<IPEndPoint> Addresses => Volatile.Read(ref _addresses);

    /// <summary>Where a connection to an endpoint goes first.</summary>
    public static EndPoint AddressOf(EndPoint endpoint) => endpoint is LogicalHost { Addresses: [var first, ..] } ? first : endpoint;

    /// <param name="addresses">The latest answer.</param>
    public void MoveTo(IReadOnlyList<IPAddress> addresses) => Volatile.Write(ref _addresses, [.. Alternate(addresses).Select(a => new IPEndPoint(a, Port))]);

    // RFC 8305, section 4: when one family does not work here, it is not tried to its end before the other.
    private static IEnumerable<IPAddress> Alternate(IReadOnlyList<IPAddress> addresses)
    {
        var others = new Queue<IPAddress>(addresses.Where(a => a.AddressFamily != addresses[0].AddressFamily));
        foreach (var address in addresses.Where(a => a.AddressFamily == addresses[0].AddressFamily))
        {
            yield return address;
            if (others.TryDequeue(out var other))
            {
                yield return other;
            }
        }

        foreach (var other in others)
        {
            yield return other;
        }
    }

    // Two clusters, or two versions of one, move independently.
    public override bool Equals(object? comparand) => ReferenceEquals(this, comparand);

    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);

    public override string ToString() => $"{Host}:{Port}";
}
