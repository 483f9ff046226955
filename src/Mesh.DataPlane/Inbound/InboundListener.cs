using System.Collections.Concurrent;
using System.Net;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Identity;
using Mesh.DataPlane.Inbound.Http;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Tls;
using Mesh.Xds.Client;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Inbound;

/// <summary>
/// The listener of one port. The last good one counts; until there is one nobody is let in. A new one goes into force when its secrets, and
/// the clusters that its filters call, have been answered, at the latest after the fetch timeout; then connections that it would not let in as they are drain, and the others go on under it.
/// </summary>
internal sealed partial class InboundListener : IResourceWatcher<ListenerResource>, IDisposable
{
    private readonly Lock _sync = new();
    private readonly ConcurrentDictionary<InboundConnection, bool> _connections = new();
    private readonly TaskCompletionSource _settled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly IXdsClient _client;
    private readonly ResourceType<ListenerResource> _type;
    private readonly FilterServices _services;
    private readonly ResourceNotes _notes;
    private readonly InboundPortSettings _settings;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Action<InboundListener> _closed;
    private readonly InboundSecrets _secrets;
    private readonly FilterDependencies _dependencies;
    private readonly ITimer _giveUp;
    private IDisposable? _watch;
    private ITimer? _holdTimer;
    private InboundTable? _table;
    private InboundTable? _next;
    private string? _refusal;
    private int _trustVersion;
    private bool _disposed;

    public InboundListener(
        string name,
        IPEndPoint endPoint,
        IXdsClient client,
        HttpFilters filters,
        ISecretSource? identity,
        ResourceNotes notes,
        InboundPortSettings settings,
        TimeProvider time,
        ILogger logger,
        Action<InboundListener> closed)
    {
        (Name, EndPoint, _client, _type, _services, _notes, _settings, _time, _logger, _closed) = (name, endPoint, client, filters.Listeners, filters.Services, notes, settings, time, logger, closed);
        Counters = new ListenerCounters(filters.Services.Metrics, endPoint);
        _secrets = new InboundSecrets(client, identity, OnSecretChanged);

        // Beside whoever tells of clusters: the lock of the configuration is held then, and is taken under this one's elsewhere.
        _dependencies = new FilterDependencies(
            filters.Services, () => ThreadPool.UnsafeQueueUserWorkItem(static listener => listener.PublishWhenAnswered(), this, preferLocal: false));
        _giveUp = time.CreateTimer(static s => ((InboundListener)s!).GiveUp(), this, settings.ResourceTimeout, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The name of the resource.</summary>
    public string Name { get; }

    /// <summary>The address that was bound.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>What becomes of its connections.</summary>
    public ListenerCounters Counters { get; }

    /// <summary>What is in force; <see langword="null"/> until there is something.</summary>
    public InboundTable? Current => Volatile.Read(ref _table);

    /// <summary>Whether a newer table waits for what it needs.</summary>
    public bool IsHeldBack
    {
        get
        {
            lock (_sync)
            {
                return _next is not null;
            }
        }
    }

    /// <summary>A table went into force, or waits no longer.</summary>
    public event Action? Changed;

    /// <summary>Another one whenever its secrets change, and with them perhaps whom it trusts.</summary>
    public int TrustVersion => Volatile.Read(ref _trustVersion);

    /// <summary>Why nobody is let in; <see langword="null"/> when that is not so, or not known yet.</summary>
    public string? Refusal => Current is null ? Volatile.Read(ref _refusal) : null;

    /// <summary>The connections that are open.</summary>
    public ICollection<InboundConnection> Connections => _connections.Keys;

    public void Start() => _watch = _client.Watch(_type, Name, this);

    /// <summary>What is in force, for which the first connections wait.</summary>
    /// <returns><see langword="null"/> when there is nothing: <see cref="Refusal"/> says why.</returns>
    public ValueTask<InboundTable?> GetAsync(CancellationToken cancellationToken)
        => Current is { } table ? ValueTask.FromResult<InboundTable?>(table) : _settled.Task.IsCompleted ? ValueTask.FromResult<InboundTable?>(null) : WaitAsync(cancellationToken);

    /// <summary>Takes in a connection that the given table let in.</summary>
    public void Add(InboundConnection connection, InboundTable table)
    {
        // Before it is there for others: whoever removes it ends the timer as well.
        if (_settings.EndsWithCertificates && connection.Facts.Expires is { } expires)
        {
            connection.Expiry = new CertificateExpiry(connection, expires, _settings.DrainDuration, _time, _services.Random, _logger);
        }

        _connections[connection] = true;

        // What has changed meanwhile has not seen it.
        if (Current != table)
        {
            Reconsider([connection]);
        }
    }

    /// <summary>Judges a connection again that was on its way in when the trust changed: whoever judged the others then did not see it.</summary>
    /// <param name="connection">The connection, which has been added.</param>
    /// <param name="trustVersion">What <see cref="TrustVersion"/> was before it was judged.</param>
    public void Confirm(InboundConnection connection, int trustVersion)
    {
        // It was added before this is read, and the version is raised before the others are looked through: one of the two sees it.
        Interlocked.MemoryBarrier();
        if (TrustVersion != trustVersion)
        {
            JudgeAgain([connection], secret: null);
        }
    }

    /// <summary>It is over.</summary>
    public void Remove(InboundConnection connection)
    {
        if (_connections.TryRemove(connection, out _))
        {
            connection.Expiry?.Dispose();
            Counters.End();
        }
    }

    public void OnChanged(string name, ListenerResource resource, string version)
    {
        lock (_sync)
        {
            if (_disposed)
            {
                return;
            }

            _notes.Report(_type, name, resource);
            if (resource.Inbound is not { } inbound)
            {
                // What was in force stays: this is none that could replace it.
                Refuse($"the listener {name} is not for connections that come in");
                return;
            }

            // Not before it has been said what it needs: secrets that are known are answered as soon as they are named, and it would go into force without the rest.
            var chains = inbound.Chains.Select(Compile).ToArray();
            var next = new InboundTable(inbound, chains, inbound.Default is { } rest ? Compile(rest) : null, version);
            _next = null;
            _secrets.Use(next.All.Concat(_table?.All ?? []).SelectMany(chain => chain.Tls?.SecretNames ?? []));
            _dependencies.Use(next.Filters, next.Clusters);
            _holdTimer ??= _time.CreateTimer(static s => ((InboundListener)s!).PublishAnyway(), this, _settings.ResourceTimeout, Timeout.InfiniteTimeSpan);
            _next = next;
        }

        PublishWhenAnswered();
    }

    public void OnResourceError(string name, ResourceError error)
    {
        var wasThere = false;
        lock (_sync)
        {
            // A control plane that is away says nothing of the port: who connects waits, or has what there was.
            if (_disposed || error.Kind == ResourceErrorKind.Unavailable)
            {
                return;
            }

            if (error.Kind == ResourceErrorKind.DoesNotExist)
            {
                wasThere = _table is not null;
                _next = null;
                Volatile.Write(ref _table, null);
                StopHolding();
                _dependencies.Use([]);
                _dependencies.Settle();
                Refuse($"the control plane has no listener {name} for this port: {error.Message}");
                Changed?.Invoke();
            }
            else if (_table is null)
            {
                Refuse($"the listener {name} cannot be used: {error.Message}");
            }
        }

        if (wasThere)
        {
            Log.Gone(_logger, EndPoint, Name);
            Reconsider(_connections.Keys);
        }
    }

    public void OnAmbientError(string name, ResourceError error)
    {
    }

    /// <summary>The port is closed: who is connected goes on until the server ends it.</summary>
    public void Dispose()
    {
        lock (_sync)
        {
            _disposed = true;
            StopHolding();
            _giveUp.Dispose();
            Refuse("the port is closed");
            _next = null;
            Changed?.Invoke();
        }

        _watch?.Dispose();
        _secrets.Dispose();
        _dependencies.Dispose();
        _closed(this);
    }

    private async ValueTask<InboundTable?> WaitAsync(CancellationToken cancellationToken)
    {
        await _settled.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        return Current;
    }

    // What says the same of TLS keeps its sessions, what says the same of requests its filters' state.
    private InboundChain Compile(InboundFilterChain chain)
    {
        var known = (_next?.All ?? []).Concat(_table?.All ?? []).ToList();
        var tls = chain.Tls is null ? null : known.Find(c => chain.Tls.Equals(c.Tls?.Settings))?.Tls ?? new InboundTls(chain.Tls, _secrets, _time);
        var http = chain.Http is null ? null : known.Find(c => c.Http is not null && c.Resource.HttpSource == chain.HttpSource)?.Http ?? new InboundHttpTable(chain.Http, _services);
        return new InboundChain(chain, tls, http);
    }

    private void PublishWhenAnswered()
    {
        lock (_sync)
        {
            if (_disposed || _next is null || !_secrets.AreAnswered || !_dependencies.AreReady)
            {
                return;
            }

            Publish();
        }

        Reconsider(_connections.Keys);
    }

    private void PublishAnyway()
    {
        bool haveSecrets;
        lock (_sync)
        {
            if (_disposed || _next is null)
            {
                return;
            }

            haveSecrets = _secrets.AreAnswered;
            Publish();
        }

        if (!haveSecrets)
        {
            Log.WithoutSecrets(_logger, EndPoint, _settings.ResourceTimeout);
        }

        Reconsider(_connections.Keys);
    }

    private void Publish()
    {
        Volatile.Write(ref _table, _next);
        _next = null;
        StopHolding();
        _dependencies.Settle();
        _secrets.Use(_table!.All.SelectMany(chain => chain.Tls?.SecretNames ?? []));
        Volatile.Write(ref _refusal, null);
        _settled.TrySetResult();
        Changed?.Invoke();
    }

    private void StopHolding()
    {
        _holdTimer?.Dispose();
        _holdTimer = null;
    }

    private void Refuse(string reason)
    {
        Volatile.Write(ref _refusal, reason);
        if (_next is null)
        {
            _settled.TrySetResult();
        }
    }

    private void GiveUp()
    {
        lock (_sync)
        {
            // One whose secrets are waited for has its own time.
            if (_table is null && _next is null && !_settled.Task.IsCompleted)
            {
                Refuse($"the control plane {_client.Status.Server} has not sent the listener {Name} within {_settings.ResourceTimeout} (Mesh:Xds:ResourceTimeout)");
            }
        }
    }

    private void OnSecretChanged(SecretReference name)
    {
        Interlocked.Increment(ref _trustVersion);
        PublishWhenAnswered();
        if (_connections.IsEmpty)
        {
            return;
        }

        // Certificates are judged beside whoever tells of secrets, who must not be held up.
        ThreadPool.UnsafeQueueUserWorkItem(static s => s.Self.JudgeAgain(s.Self._connections.Keys, s.Name), (Self: this, Name: name), preferLocal: false);
    }

    // A new certificate of ours drops nobody; new trust drops those whom it does not know.
    private void JudgeAgain(IEnumerable<InboundConnection> connections, SecretReference? secret)
    {
        var judged = new Dictionary<(InboundTls, string), bool>();
        var refused = new List<InboundConnection>();
        foreach (var connection in connections)
        {
            if (connection.Chain.Tls is not { } tls || (secret is not null && tls.Settings.ValidationSecret != secret) || connection.Facts.PeerCertificate is not { } certificate)
            {
                continue;
            }

            var key = (tls, connection.Facts.PeerSha256);
            if (!judged.TryGetValue(key, out var isAccepted))
            {
                judged[key] = isAccepted = tls.JudgeAgain(certificate, connection.Facts.PeerIntermediates) is null;
            }

            if (!isAccepted)
            {
                refused.Add(connection);
            }
        }

        Drain(refused);
    }

    private void Reconsider(IEnumerable<InboundConnection> connections)
    {
        var table = Current;
        Drain([.. connections.Where(connection => !IsAdmitted(connection, table))]);
    }

    // As if it came now: by another chain perhaps, but with no more than it has shown.
    private static bool IsAdmitted(InboundConnection connection, InboundTable? table)
    {
        if (table?.Select(connection.Where) is not { } chain
            || (chain.Tls is null ? connection.Chain.Tls is not null : connection.Chain.Tls?.Settings.Equals(chain.Tls.Settings) != true)
            || chain.Refusing(connection.Facts) is not null
            || (chain.Resource.Asks is { } asks && asks != connection.Chain.Resource.Asks))
        {
            return false;
        }

        connection.Chain = chain;
        return true;
    }

    private void Drain(List<InboundConnection> connections)
    {
        connections.RemoveAll(connection => !connection.BeginDrain());
        if (connections.Count == 0)
        {
            return;
        }

        Log.Draining(_logger, connections.Count, EndPoint, _settings.DrainDuration);
        ITimer? timer = null;
        timer = _time.CreateTimer(_ => End(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        timer.Change(_settings.DrainDuration, Timeout.InfiniteTimeSpan);

        void End()
        {
            timer!.Dispose();
            foreach (var connection in connections)
            {
                if (_connections.ContainsKey(connection))
                {
                    connection.Transport?.Abort("the policy of the port has changed, and the time for draining is over");
                }
            }
        }
    }

    public override string ToString() => Name;

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "{Count} connection(s) of {EndPoint} would not be let in as they are any more: they close within {DrainDuration}.")]
        public static partial void Draining(ILogger logger, int count, IPEndPoint endPoint, TimeSpan drainDuration);

        [LoggerMessage(2, LogLevel.Error, "The control plane has taken the listener {Listener} of {EndPoint} away: nobody is let in any more.")]
        public static partial void Gone(ILogger logger, IPEndPoint endPoint, string listener);

        [LoggerMessage(3, LogLevel.Warning, "The certificate or the authorities of {EndPoint} have not come within {Timeout}: until they do, TLS is refused there.")]
        public static partial void WithoutSecrets(ILogger logger, IPEndPoint endPoint, TimeSpan timeout);
    }
}
