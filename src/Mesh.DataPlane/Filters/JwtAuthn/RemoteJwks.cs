using System.Net;
using Mesh.DataPlane.Calls;
using Mesh.DataPlane.Retry;
using Mesh.Xds.Jwt;
using Mesh.Xds.Metrics;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Filters.JwtAuthn;

/// <summary>
/// Keys that are fetched through the mesh and kept. One fetch at a time however many requests wait for it; what was fetched last serves on when the
/// next fetch fails, and the one after that waits, the longer the more have failed. Without any keys no token is good.
/// </summary>
internal sealed partial class RemoteJwks : IJwksSource, IDisposable
{
    private const int MaxBytes = 1024 * 1024;

    // Envoy: what is fetched ahead is fetched a little before the old expires.
    private static readonly TimeSpan Ahead = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan FirstBackOff = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxBackOff = TimeSpan.FromMinutes(1);

    private readonly RemoteJwksSettings _settings;
    private readonly FilterServices _services;
    private readonly ClusterTarget _target;
    private readonly CounterCell _fetched;
    private readonly CounterCell _failed;
    private readonly Lock _sync = new();
    private readonly List<Action> _waiting = [];
    private Held? _held;
    private Task<JsonWebKeySet?>? _flight;
    private ITimer? _timer;
    private long _notBefore;
    private uint _failures;
    private bool _disposed;

    public RemoteJwks(RemoteJwksSettings settings, FilterServices services)
    {
        (_settings, _services) = (settings, services);
        var retry = settings.NumRetries == 0
            ? null
            : new RetryPolicy
            {
                On = settings.RetryOn,
                NumRetries = settings.NumRetries,
                BackOff = settings.BackOff,
            };
        _target = new ClusterTarget(settings.Cluster, settings.Timeout, retry);

        // Listeners share what is fetched: it belongs to none of their connection managers.
        _fetched = services.Metrics.Counter("envoy_http_jwt_authn_jwks_fetch_success", "Keys that were fetched to verify tokens by.").Cell();
        _failed = services.Metrics.Counter("envoy_http_jwt_authn_jwks_fetch_failed", "Attempts in vain to fetch keys to verify tokens by.").Cell();
    }

    /// <summary>How many listeners have it; with the lock of those who count.</summary>
    public int References { get; set; }

    /// <summary>There has been an answer, good or bad.</summary>
    public bool HasBeenFetched { get; private set; }

    public bool IsFetching
    {
        get
        {
            lock (_sync)
            {
                return _flight is not null;
            }
        }
    }

    public ValueTask<(JwtStatus Status, JsonWebKeySet? Keys)> GetAsync(FilterServices services, CancellationToken cancellationToken)
        => Volatile.Read(ref _held) is { } held && _services.Time.GetTimestamp() < held.Expires ? new((JwtStatus.Ok, held.Keys)) : FetchedAsync(cancellationToken);

    /// <summary>Fetches from now on without being asked, where the settings say so.</summary>
    public void Start()
    {
        if (_settings.FetchesAhead)
        {
            _ = Fetch();
        }
    }

    /// <summary>Calls back after the first fetch, unless it is over.</summary>
    public void OnFetched(Action fetched)
    {
        lock (_sync)
        {
            if (!HasBeenFetched)
            {
                _waiting.Add(fetched);
            }
        }
    }

    /// <summary>Nothing is fetched ahead any more; whoever still asks is answered.</summary>
    public void Dispose()
    {
        lock (_sync)
        {
            _disposed = true;
            _timer?.Dispose();
            _timer = null;
        }
    }

    private async ValueTask<(JwtStatus Status, JsonWebKeySet? Keys)> FetchedAsync(CancellationToken cancellationToken)
    {
        var keys = await Fetch().WaitAsync(cancellationToken).ConfigureAwait(false);
        return (keys is null ? JwtStatus.FetchFailed : JwtStatus.Ok, keys);
    }

    private Task<JsonWebKeySet?> Fetch()
    {
        lock (_sync)
        {
            if (_flight is not null)
            {
                return _flight;
            }

            var now = _services.Time.GetTimestamp();
            if (_held is { } held && now < held.Expires && !_settings.FetchesAhead)
            {
                return Task.FromResult<JsonWebKeySet?>(held.Keys);
            }

            if (now < _notBefore)
            {
                return Task.FromResult(_held?.Keys);
            }

            // It belongs to nobody's request: whoever goes away leaves it to the others.
            using (ExecutionContext.SuppressFlow())
            {
                return _flight = Task.Run(FetchAsync);
            }
        }
    }

    private async Task<JsonWebKeySet?> FetchAsync()
    {
        JsonWebKeySet? keys = null;
        string problem;
        try
        {
            (keys, problem) = await AskAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            problem = e.Message;
        }

        (keys is not null ? _fetched : _failed).Increment();
        Action[] waiting;
        lock (_sync)
        {
            var now = _services.Time.GetTimestamp();
            TimeSpan next;
            if (keys is not null)
            {
                if (_failures > 0)
                {
                    Log.FetchedAgain(_services.Logger, _settings.Uri, _failures);
                }

                _failures = 0;
                Volatile.Write(ref _held, new Held(keys, now + Ticks(_settings.CacheDuration)));
                next = _settings.CacheDuration > Ahead ? _settings.CacheDuration - Ahead : _settings.CacheDuration;
            }
            else
            {
                if (_failures++ == 0)
                {
                    Log.FetchFailed(_services.Logger, _settings.Uri, _settings.Cluster, problem, _held is null ? "no token of this issuer is accepted" : "the keys that were fetched before serve on");
                }

                next = _settings.FetchesAhead ? _settings.FailedRefetch : BackOffAfter(_failures);
                _notBefore = now + Ticks(next);
            }

            if (_settings.FetchesAhead && !_disposed)
            {
                _timer?.Dispose();
                _timer = _services.Time.CreateTimer(static jwks => ((RemoteJwks)jwks!).FetchAhead(), this, next, Timeout.InfiniteTimeSpan);
            }

            keys ??= _held?.Keys;
            HasBeenFetched = true;
            _flight = null;
            waiting = [.. _waiting];
            _waiting.Clear();
        }

        foreach (var fetched in waiting)
        {
            fetched();
        }

        return keys;
    }

    private void FetchAhead()
    {
        lock (_sync)
        {
            if (_disposed)
            {
                return;
            }

            _notBefore = long.MinValue;
        }

        _ = Fetch();
    }

    private async Task<(JsonWebKeySet? Keys, string Problem)> AskAsync()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, _settings.Uri);
        using var response = await _services.Calls.SendAsync(_target, request, MaxBytes, CancellationToken.None).ConfigureAwait(false);
        if (response.StatusCode != HttpStatusCode.OK)
        {
            return (null, $"the status is {(int)response.StatusCode}");
        }

        var status = JsonWebKeySet.Parse(await response.Content.ReadAsByteArrayAsync().ConfigureAwait(false), out var keys);
        return (keys, status.Text);
    }

    // A herd of processes that lost the same server does not come back in step.
    private TimeSpan BackOffAfter(uint failures)
    {
        var longest = FirstBackOff * Math.Pow(2, Math.Min(failures - 1, 10));
        longest = longest < MaxBackOff ? longest : MaxBackOff;
        return (longest / 2) + TimeSpan.FromTicks((long)Math.BigMul(_services.Random.NextUInt64(), (ulong)longest.Ticks / 2, out _));
    }

    private long Ticks(TimeSpan time) => (long)Math.Min(time.TotalSeconds * _services.Time.TimestampFrequency, long.MaxValue / 2);

    private sealed record Held(JsonWebKeySet Keys, long Expires);

    private static partial class Log
    {
        [LoggerMessage(3, LogLevel.Warning, "The keys at {Uri} could not be fetched from the cluster {Cluster}: {Problem}; {Consequence}.")]
        public static partial void FetchFailed(ILogger logger, Uri uri, string cluster, string problem, string consequence);

        [LoggerMessage(4, LogLevel.Information, "The keys at {Uri} have been fetched again, after {Failures} failures.")]
        public static partial void FetchedAgain(ILogger logger, Uri uri, uint failures);
    }
}
