using System.Net;

namespace Mesh.DataPlane.Dns;

/// <summary>What a response says of the name that was asked for, its other names included.</summary>
/// <param name="Name">The name at the end of the CNAME records: the one to ask for when it has no addresses here.</param>
/// <param name="Addresses">Its addresses; none when the name or the records of that type do not exist.</param>
/// <param name="TimeToLive">The least of all records on the way, or the negative one of the zone.</param>
/// <param name="IsNoName">The name does not exist, with records of whatever type.</param>
/// <param name="IsUnfinished">The way ends at another name about which the response says nothing.</param>
internal sealed record DnsAnswer(string Name, IReadOnlyList<IPAddress> Addresses, TimeSpan? TimeToLive, bool IsNoName, bool IsUnfinished)
{
    private const int MaxAliases = 16;

    /// <exception cref="DnsFormatException">The aliases lead in a circle, or too far.</exception>
    public static DnsAnswer Of(DnsResponse response, DnsQuestion question)
    {
        var name = question.Name;
        TimeSpan? ttl = null;
        for (var aliases = 0; ; aliases++)
        {
            var addresses = new List<IPAddress>();
            string? target = null;
            foreach (var record in response.Records)
            {
                if (record.Name != name)
                {
                    continue;
                }

                if (record.Address is { } address && IsAsked(address, question.Type))
                {
                    addresses.Add(address);
                    ttl = Least(ttl, record.TimeToLive);
                }
                else if (record.Target is not null && target is null)
                {
                    target = record.Target;
                    ttl = Least(ttl, record.TimeToLive);
                }
            }

            if (addresses.Count > 0)
            {
                return new DnsAnswer(name, addresses, ttl, IsNoName: false, IsUnfinished: false);
            }

            if (target is null)
            {
                var isUnfinished = aliases > 0 && response is { Code: DnsResponseCode.NoError, NegativeTimeToLive: null };
                return new DnsAnswer(name, [], Least(ttl, response.NegativeTimeToLive), response.Code == DnsResponseCode.NameError, isUnfinished);
            }

            if (aliases == MaxAliases)
            {
                throw new DnsFormatException($"{question.Name} has more than {MaxAliases} aliases, or they lead in a circle");
            }

            name = target;
        }
    }

    public static TimeSpan? Least(TimeSpan? a, TimeSpan? b) => a is null || b < a ? b : a;

    private static bool IsAsked(IPAddress address, DnsRecordType type)
        => type == (address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? DnsRecordType.A : DnsRecordType.Aaaa);
}
