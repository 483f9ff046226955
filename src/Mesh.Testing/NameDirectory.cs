using System.Collections.Concurrent;
using System.Net;
using Mesh.DataPlane.Dns;

namespace Mesh.Testing;

/// <summary>The DNS of a mesh under test: names have the addresses that the test gives them, and no other name exists.</summary>
internal sealed class NameDirectory : IDnsResolver
{
    private readonly ConcurrentDictionary<string, DnsResolution> _names = new(StringComparer.OrdinalIgnoreCase);

    public void Map(string name, IEnumerable<IPAddress> addresses) => _names[name.TrimEnd('.')] = DnsResolution.Of(addresses);

    public ValueTask<DnsResolution> ResolveAsync(DnsQuery query, CancellationToken cancellationToken)
        => ValueTask.FromResult(_names.GetValueOrDefault(query.Host.TrimEnd('.')) ?? DnsResolution.Of([]));
}
