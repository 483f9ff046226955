using System.Collections.Concurrent;
using System.Net;
using Mesh.DataPlane.Dns;

namespace Mesh.DataPlane.Tests.Dns;

/// <summary>Answers names as a test says, and remembers who asked when.</summary>
internal sealed class ScriptedResolver(TimeProvider time) : IDnsResolver
{
    private readonly ConcurrentDictionary<string, Func<CancellationToken, ValueTask<DnsResolution>>> _answers = new();
    private readonly ConcurrentQueue<(DnsQuery Query, TimeSpan At)> _asked = [];
    private readonly DateTimeOffset _start = time.GetUtcNow();

    public IReadOnlyList<(DnsQuery Query, TimeSpan At)> Asked => [.. _asked];

    /// <summary>The seconds since the start at which a name was asked for.</summary>
    public IEnumerable<double> Times(string host) => _asked.Where(a => a.Query.Host == host).Select(a => a.At.TotalSeconds);

    public ScriptedResolver Answer(string host, int? ttl, params string[] addresses)
        => On(host, _ => ValueTask.FromResult(DnsResolution.Of(addresses.Select(IPAddress.Parse), ttl is { } seconds ? TimeSpan.FromSeconds(seconds) : null)));

    public ScriptedResolver Fail(string host) => On(host, _ => ValueTask.FromResult(DnsResolution.Failed($"{host}: nobody answers")));

    public ScriptedResolver On(string host, Func<CancellationToken, ValueTask<DnsResolution>> answer)
    {
        _answers[host] = answer;
        return this;
    }

    /// <summary>Does not answer until told.</summary>
    public TaskCompletionSource<DnsResolution> Hold(string host)
    {
        var held = new TaskCompletionSource<DnsResolution>();
        On(host, token => new ValueTask<DnsResolution>(held.Task.WaitAsync(token)));
        return held;
    }

    public ValueTask<DnsResolution> ResolveAsync(DnsQuery query, CancellationToken cancellationToken)
    {
        _asked.Enqueue((query, time.GetUtcNow() - _start));
        return _answers[query.Host](cancellationToken);
    }
}
