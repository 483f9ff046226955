using System.Net;
using System.Net.Sockets;

namespace Mesh.DataPlane.Dns;

/// <summary>
/// A resolver that leaves the work to the servers of <c>resolv.conf</c> and keeps what <c>getaddrinfo</c> throws away: how long an answer
/// holds, and whether there was one.
/// </summary>
/// <param name="conf">The servers and the domains to search, read anew for each look-up.</param>
/// <param name="hosts">The names that need no server.</param>
/// <param name="random">Ids of transactions.</param>
/// <param name="time">Timeouts.</param>
internal sealed class StubResolver(Func<ResolvConf> conf, Func<HostsFile> hosts, IRandomSource random, TimeProvider time) : IDnsResolver
{
    // A server that follows aliases itself needs one question; each further one is a server that did not.
    private const int MaxQuestions = 8;

    private readonly NameServers _servers = new(random, time);

    public async ValueTask<DnsResolution> ResolveAsync(DnsQuery query, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(query.Host, out var address))
        {
            return DnsResolution.Of([address]);
        }

        if (!DnsName.IsHost(query.Host))
        {
            return DnsResolution.Failed($"'{query.Host}' cannot be asked for in DNS");
        }

        var known = Select(hosts().Find(query.Host), query.Family);
        if (known.Count > 0)
        {
            return DnsResolution.Of(known);
        }

        try
        {
            return await SearchAsync(conf(), query, cancellationToken).ConfigureAwait(false);
        }
        catch (DnsFailureException e)
        {
            return DnsResolution.Failed($"{query.Host}: {e.Message}");
        }
    }

    /// <summary>The names that a short name may stand for, in the order of glibc's <c>res_search</c>.</summary>
    internal static IEnumerable<string> Candidates(ResolvConf conf, string host)
    {
        if (host.EndsWith('.'))
        {
            return [host];
        }

        var dots = host.Count('.');
        var searched = conf.Search.Select(domain => $"{host}.{domain}").Where(name => DnsName.IsHost(name));
        return dots >= conf.Ndots ? searched.Prepend(host)
            : dots == 0 && conf.NoTopLevel ? searched
            : searched.Append(host);
    }

    private async ValueTask<DnsResolution> SearchAsync(ResolvConf conf, DnsQuery query, CancellationToken cancellationToken)
    {
        TimeSpan? negative = null;
        DnsFailureException? failure = null;
        foreach (var name in Candidates(conf, query.Host))
        {
            try
            {
                var answer = await LookUpAsync(conf, name, query, cancellationToken).ConfigureAwait(false);
                if (answer.Addresses.Count > 0)
                {
                    return DnsResolution.Of(answer.Addresses, answer.TimeToLive);
                }

                negative = DnsAnswer.Least(negative, answer.TimeToLive);
            }
            catch (DnsFailureException e) when (e.IsServerFailure)
            {
                // Trouble with one domain says nothing about the next; that nobody answers does, and ends the search.
                failure = e;
            }
        }

        return failure is null ? DnsResolution.Of([], negative) : throw failure;
    }

    private async ValueTask<DnsAnswer> LookUpAsync(ResolvConf conf, string name, DnsQuery query, CancellationToken cancellationToken)
    {
        switch (query.Family)
        {
            case DnsLookupFamily.V4Only:
                return await AskAsync(DnsRecordType.A).ConfigureAwait(false);
            case DnsLookupFamily.V6Only:
                return await AskAsync(DnsRecordType.Aaaa).ConfigureAwait(false);
            case DnsLookupFamily.Auto:
                return await PreferAsync(DnsRecordType.Aaaa, DnsRecordType.A).ConfigureAwait(false);
            case DnsLookupFamily.V4Preferred:
                return await PreferAsync(DnsRecordType.A, DnsRecordType.Aaaa).ConfigureAwait(false);
            default:
                var v4 = TryAsync(DnsRecordType.A);
                var v6 = TryAsync(DnsRecordType.Aaaa);
                return Together(await v4.ConfigureAwait(false), await v6.ConfigureAwait(false));
        }

        async ValueTask<DnsAnswer> PreferAsync(DnsRecordType preferred, DnsRecordType other)
        {
            var first = await TryAsync(preferred).ConfigureAwait(false);
            return first.Answer is { } answer && (answer.Addresses.Count > 0 || answer.IsNoName)
                ? answer
                : Together(first, await TryAsync(other).ConfigureAwait(false));
        }

        async Task<(DnsAnswer? Answer, DnsFailureException? Failure)> TryAsync(DnsRecordType type)
        {
            try
            {
                return (await AskAsync(type).ConfigureAwait(false), null);
            }
            catch (DnsFailureException e)
            {
                return (null, e);
            }
        }

        ValueTask<DnsAnswer> AskAsync(DnsRecordType type)
            => type == DnsRecordType.Aaaa && conf.NoIPv6
                ? new ValueTask<DnsAnswer>(new DnsAnswer(name, [], null, IsNoName: false, IsUnfinished: false))
                : FollowAsync(conf, name, type, query.UseTcp, cancellationToken);
    }

    // One family's addresses will do when the other's cannot be had; that there are none takes the word of both.
    private static DnsAnswer Together((DnsAnswer? Answer, DnsFailureException? Failure) a, (DnsAnswer? Answer, DnsFailureException? Failure) b)
    {
        List<IPAddress> addresses = [.. a.Answer?.Addresses ?? [], .. b.Answer?.Addresses ?? []];
        if (addresses.Count == 0 && (a.Failure ?? b.Failure) is { } failure)
        {
            throw failure;
        }

        var holding = new[] { a.Answer, b.Answer }.OfType<DnsAnswer>().Where(x => addresses.Count == 0 || x.Addresses.Count > 0).ToList();
        return holding[0] with { Addresses = addresses, TimeToLive = holding.Aggregate((TimeSpan?)null, (ttl, x) => DnsAnswer.Least(ttl, x.TimeToLive)) };
    }

    private async ValueTask<DnsAnswer> FollowAsync(ResolvConf conf, string name, DnsRecordType type, bool useTcp, CancellationToken cancellationToken)
    {
        TimeSpan? ttl = null;
        try
        {
            for (var i = 0; i < MaxQuestions; i++)
            {
                var question = DnsQuestion.Create(name, type);
                var answer = DnsAnswer.Of(await _servers.AskAsync(conf, question, useTcp, cancellationToken).ConfigureAwait(false), question);
                ttl = DnsAnswer.Least(ttl, answer.TimeToLive);
                if (!answer.IsUnfinished)
                {
                    return answer with { TimeToLive = ttl };
                }

                name = answer.Name;
            }
        }
        catch (DnsFormatException e)
        {
            throw new DnsFailureException(e.Message, isServerFailure: true);
        }

        throw new DnsFailureException($"more than {MaxQuestions} questions did not lead to the end of the aliases", isServerFailure: true);
    }

    private static List<IPAddress> Select(IReadOnlyList<IPAddress> addresses, DnsLookupFamily family)
    {
        List<IPAddress> v4 = [.. addresses.Where(a => a.AddressFamily == AddressFamily.InterNetwork)];
        List<IPAddress> v6 = [.. addresses.Where(a => a.AddressFamily == AddressFamily.InterNetworkV6)];
        return family switch
        {
            DnsLookupFamily.V4Only => v4,
            DnsLookupFamily.V6Only => v6,
            DnsLookupFamily.Auto => v6.Count > 0 ? v6 : v4,
            DnsLookupFamily.V4Preferred => v4.Count > 0 ? v4 : v6,
            _ => [.. v4, .. v6],
        };
    }
}
