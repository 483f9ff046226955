using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Mesh.TestNet.Dns;

/// <summary>Names and their addresses, which a test may change while the server answers.</summary>
public sealed class DnsZone
{
    private const ushort NameError = 3;

    private readonly ConcurrentDictionary<string, Record> _records = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>From now on a name has these addresses, IPv4 or IPv6; none: it exists without an address.</summary>
    /// <param name="name">The name, without a dot at the end.</param>
    /// <param name="ttl">How long the answer holds, in seconds.</param>
    /// <param name="addresses">The addresses, in the order of the answer.</param>
    public void Set(string name, uint ttl, params IPAddress[] addresses) => _records[name] = new Record(ttl, addresses);

    /// <summary>From now on there is no such name.</summary>
    public void Remove(string name) => _records.TryRemove(name, out _);

    /// <returns>The addresses of a name; none when it is not known.</returns>
    public IReadOnlyList<IPAddress> Lookup(string name) => _records.TryGetValue(name, out var record) ? record.Addresses : [];

    /// <summary>What a server answers.</summary>
    public DnsPacket Answer(DnsRequestSeen request)
    {
        if (!_records.TryGetValue(request.Name.TrimEnd('.'), out var record))
        {
            return request.Respond(more: NameError);
        }

        var addresses = request.Type switch
        {
            DnsPacket.A => record.Addresses.Where(address => address.AddressFamily == AddressFamily.InterNetwork).ToArray(),
            DnsPacket.Aaaa => record.Addresses.Where(address => address.AddressFamily == AddressFamily.InterNetworkV6).ToArray(),
            _ => [],
        };
        var answer = request.Respond(answers: addresses.Length);
        foreach (var address in addresses)
        {
            answer.Address(request.Name, address.ToString(), record.Ttl);
        }

        return answer;
    }

    private sealed record Record(uint Ttl, IReadOnlyList<IPAddress> Addresses);
}
