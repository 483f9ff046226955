using System.Net;
using Mesh.DataPlane.Resources;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Dns;

/// <summary>
/// Keeps the endpoints of a cluster as DNS has them: asks for each name, asks again in time, and tells of changes alone. A failure changes
/// nothing; the answer that a name has no addresses takes away those of a STRICT_DNS cluster, and is a failure to a LOGICAL_DNS one, as in Envoy.
/// </summary>
internal sealed partial class DnsEndpoints(
    DnsDiscovery discovery,
    string cluster,
    DnsClusterSettings settings,
    EndpointsResource template,
    Lock sync,
    Action<DnsEndpoints> changed) : IDisposable
{
    private readonly Dictionary<string, DnsTarget> _targets = new(StringComparer.OrdinalIgnoreCase);
    private readonly CancellationTokenSource _stop = new();
    private LogicalHost? _logical;
    private bool _isReplacing;
    private bool _isStopped;

    public DnsClusterSettings Settings => settings;

    /// <summary>The endpoints; unset until the first answer, or until it is certain that there is none yet.</summary>
    public EndpointsResource? Latest { get; private set; }

    /// <summary>What is wrong with the names, for explanations; endpoints may be there all the same.</summary>
    public string? Error { get; private set; }

    /// <summary>Begins to ask; with the lock held.</summary>
    /// <param name="previous">What this takes the place of: addresses that are known already go on.</param>
    /// <param name="isServing">Some endpoints are in force, and better than a part of the new ones.</param>
    public void Start(DnsEndpoints? previous, bool isServing)
    {
        _isReplacing = isServing;
        foreach (var name in Names())
        {
            if (!_targets.ContainsKey(name.Host))
            {
                var known = previous?.Settings.Family == settings.Family ? previous._targets.GetValueOrDefault(name.Host)?.Addresses : null;
                _targets.Add(name.Host, new DnsTarget(name.Host, new DnsRefresh(settings, discovery.Random)) { Addresses = known });
            }

            if (settings.IsLogical)
            {
                _logical = previous?._logical is { } same && same.Host == name.Host && same.Port == name.Port ? same : new LogicalHost(name.Host, name.Port);
                Move(_targets[name.Host].Addresses);
            }
        }

        foreach (var target in _targets.Values)
        {
            target.Timer = discovery.Time.CreateTimer(_ => _ = ResolveAsync(target), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

            // Elsewhere: resolvers read files and open sockets, and the lock is held here.
            _ = Task.Run(() => ResolveAsync(target));
        }

        PublishWhenWarm();
    }

    public void Dispose()
    {
        _isStopped = true;

        // Elsewhere: what waits for it may go on at once, and the lock is held here.
        _ = _stop.CancelAsync();
        foreach (var target in _targets.Values)
        {
            target.Timer?.Dispose();
        }
    }

    private IEnumerable<DnsEndPoint> Names() => template.Localities.SelectMany(l => l.Endpoints).Select(e => e.Address).OfType<DnsEndPoint>();

    private async Task ResolveAsync(DnsTarget target)
    {
        DnsResolution resolution;
        try
        {
            resolution = await discovery.Resolver.ResolveAsync(new DnsQuery(target.Host, settings.Family, settings.UseTcp), _stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            return;
        }
        catch (Exception e)
        {
            // Nobody awaits this, and a name that is not asked for again would keep its addresses for ever.
            resolution = DnsResolution.Failed($"{target.Host}: {e.Message}");
        }

        lock (sync)
        {
            if (!_isStopped)
            {
                Apply(target, resolution);
                target.Timer!.Change(target.Refresh.After(resolution), Timeout.InfiniteTimeSpan);
            }
        }
    }

    private void Apply(DnsTarget target, DnsResolution resolution)
    {
        var failure = resolution.Failure
            ?? (settings.IsLogical && resolution.Addresses.Count == 0 ? $"{target.Host} has no addresses" : null);
        target.HasAnswered = true;
        if (failure is not null)
        {
            if (target.Failure is null)
            {
                Log.Failed(discovery.Logger, cluster, failure, target.Addresses?.Count ?? 0);
            }
        }
        else if (target.Failure is not null)
        {
            Log.Recovered(discovery.Logger, cluster, target.Host, resolution.Addresses.Count);
        }

        target.Failure = failure;
        var error = string.Join("; ", _targets.Values.Select(t => t.Failure).OfType<string>());
        var isOtherError = (error.Length > 0 ? error : null) != Error;
        Error = error.Length > 0 ? error : null;

        var isChanged = false;
        if (failure is null)
        {
            // The order is the server's way to spread its clients; for hosts that are all used it means nothing.
            isChanged = settings.IsLogical ? target.Addresses is null : target.Addresses is not { } old || !resolution.Addresses.ToHashSet().SetEquals(old);
            if (isChanged || settings.IsLogical)
            {
                target.Addresses = resolution.Addresses;
            }

            Move(target.Addresses);
        }

        if (Latest is null)
        {
            PublishWhenWarm();
        }
        else if (isChanged)
        {
            Publish();
        }
        else if (isOtherError)
        {
            changed(this);
        }
    }

    private void Move(IReadOnlyList<IPAddress>? addresses)
    {
        if (_logical is not null && addresses is { Count: > 0 })
        {
            _logical.MoveTo(addresses);
        }
    }

    private void PublishWhenWarm()
    {
        var targets = _targets.Values;
        if (targets.All(t => t.HasAnswered || t.Addresses is not null) || (!_isReplacing && targets.Any(t => t.Addresses is not null)))
        {
            Publish();
        }
    }

    private void Publish()
    {
        Latest = template with
        {
            Localities = [.. template.Localities.Select(l => l with { Priority = settings.IsLogical ? 0 : l.Priority, Endpoints = [.. l.Endpoints.SelectMany(Resolved)] })],
        };
        changed(this);
    }

    private IEnumerable<EndpointResource> Resolved(EndpointResource endpoint)
    {
        if (endpoint.Address is not DnsEndPoint name)
        {
            return [endpoint];
        }

        // Envoy: the name that was resolved is the host's name unless it has another one.
        var named = endpoint.Hostname.Length > 0 ? endpoint : endpoint with { Hostname = name.Host };
        var addresses = _targets[name.Host].Addresses ?? [];
        return settings.IsLogical
            ? addresses.Count > 0 ? [named with { Address = _logical! }] : []
            : addresses.Select(a => named with { Address = new IPEndPoint(a, name.Port) });
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Cluster {Cluster} cannot resolve its endpoints: {Reason}. It keeps the {Count} addresses that it has.")]
        public static partial void Failed(ILogger logger, string cluster, string reason, int count);

        [LoggerMessage(2, LogLevel.Information, "Cluster {Cluster} resolves {Host} again: {Count} addresses.")]
        public static partial void Recovered(ILogger logger, string cluster, string host, int count);
    }
}
