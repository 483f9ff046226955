using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using Mesh.DataPlane.CircuitBreakers;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Dns;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.OriginalDst;
using Mesh.DataPlane.OutlierDetection;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Telemetry.Metrics;
using Mesh.DataPlane.Tls;
using Mesh.DataPlane.Transports;
using Mesh.Xds.Validation;

namespace Mesh.DataPlane.Tcp;

/// <summary>
/// Makes connections: filter chain, cluster by weight, endpoint by the cluster's own load balancer, permit, dial, and another try where the chain has one.
/// What HTTP requests and connections have in common (priorities, panic, ejection, permits) is the cluster's and works alike.
/// </summary>
internal sealed class TcpUpstream(IRandomSource random, TimeProvider time, MeshTelemetry telemetry)
{
    // Each turn means that what was picked was retired between pick and use; a fresh state is one read away.
    private const int MaxTurns = 8;

    // Another try prefers another host, and takes the same one when the load balancer has no other to offer.
    private const uint HostSelections = 3;

    // Envoy's, of tcp_proxy.
    private static readonly TimeSpan DefaultIdleTimeout = TimeSpan.FromHours(1);

    // Istio's, of MeshConfig.
    private static readonly TimeSpan DirectConnectTimeout = TimeSpan.FromSeconds(10);

    private OutsideSignals? _outside;

    /// <summary>What is said of signals of what leaves the mesh.</summary>
    public Func<SignalSettings> OutsideSettings { get; init; } = () => SignalSettings.Default;

    // Counted as the listener of what leaves says; it has no log of connections.
    private ConnectionSignals? Outside
    {
        get
        {
            var stats = OutsideSettings().Stats;
            if (_outside is not { } known || !ReferenceEquals(known.Stats, stats))
            {
                _outside = known = new OutsideSignals(stats, telemetry.ConnectionsOf(new SignalSettings { Stats = stats }, Reporter.Source));
            }

            return known.Signals;
        }
    }

    /// <summary>Makes a connection by the listener of a host; where its first bytes decide, it is made when they have been written.</summary>
    /// <exception cref="SocketException">There is no connection, and why.</exception>
    public async ValueTask<MeshStream> ConnectAsync(HostEntry host, TcpFacts facts, CancellationToken cancellationToken)
    {
        var table = TableOf(host, facts);
        return table.DependsOnFirstBytes(facts)
            ? new InspectedStream(table.Listener, facts, (known, token) => EstablishAsync(host, known, token), time)
            : await EstablishAsync(host, facts, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Makes a connection by a route, as where the outbound policy has one for hosts that the mesh does not know.</summary>
    /// <exception cref="SocketException">There is no connection, and why.</exception>
    public ValueTask<MeshStream> ConnectAsync(RouteAction action, TcpFacts facts, CancellationToken cancellationToken)
    {
        var draw = random.NextUInt64();
        var cluster = action switch
        {
            RouteAction.ToCluster single => single.Cluster,
            RouteAction.ToWeightedClusters weighted => weighted.Choose(draw).Cluster,
            _ => throw TcpFailure.Refused(facts, "the outbound traffic policy routes requests where connections cannot follow", "Add a ServiceEntry for it."),
        };
        return ConnectAsync(cluster, chain: null, facts, draw, cancellationToken);
    }

    /// <summary>Makes a connection as if there were no mesh: to the host itself, by the names of the operating system.</summary>
    /// <param name="name">Under what it is told of.</param>
    /// <param name="stats">Where it is counted.</param>
    /// <param name="facts">Where to.</param>
    /// <param name="idleTimeout">How long nothing may move on it; infinite for as long as it likes.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="SocketException">There is no connection, and why.</exception>
    public async ValueTask<MeshStream> ConnectDirectlyAsync(string name, ClusterStats stats, TcpFacts facts, TimeSpan? idleTimeout, CancellationToken cancellationToken)
    {
        EndPoint address = facts.Address is { } ip ? new IPEndPoint(ip, facts.Port) : new DnsEndPoint(facts.Host, facts.Port);
        var dialer = new EndpointDialer(address, new TransportSettings(UpstreamProtocol.Http11, DirectConnectTimeout), stats, time);
        var host = new EndpointState(() => throw new NotSupportedException());
        host.TryAcquire();
        var record = name == OutsideClusters.Passthrough ? Outside?.Begin(name) : null;
        try
        {
            var dialled = (UpstreamConnection)await dialer.DialAsync(countsRequests: false, secure: null, cancellationToken).ConfigureAwait(false);
            var remote = dialled.Socket.RemoteEndPoint!;
            var breaker = new CircuitBreaker(RoutingPriority.Default, stats);
            breaker.TryConnect(host);
            var connection = new TcpConnection(
                dialled, $"{facts} ({name} at {remote})", remote, host, stats, breaker, null, time, idleTimeout ?? DefaultIdleTimeout)
            {
                Record = record,
            };
            var stream = new TcpStream(connection);
            connection.Open(Timeout.InfiniteTimeSpan);
            return stream;
        }
        catch (SocketException e)
        {
            var failure = TcpFailure.ConnectFailed(facts, name, 1, address.ToString()!, e);
            Tell(record, failure);
            throw failure;
        }
        catch (Exception e) when (Tell(record, e))
        {
            throw;
        }
    }

    /// <summary>Counts a connection that the outbound policy refuses.</summary>
    /// <returns>What its caller sees.</returns>
    public SocketException Refuse(TcpFacts facts, string reason, string wayOut)
    {
        var failure = TcpFailure.Refused(facts, reason, wayOut);
        Tell(Outside?.Begin(OutsideClusters.BlackHole), failure);
        return failure;
    }

    private static TcpTable TableOf(HostEntry host, TcpFacts facts)
        => host.State.Tcp ?? throw TcpFailure.NoConfiguration(facts, host.State.Error ?? "the control plane has not answered in time");

    private ValueTask<MeshStream> EstablishAsync(HostEntry host, TcpFacts facts, CancellationToken cancellationToken)
    {
        var table = TableOf(host, facts);
        if (table.Select(facts) is not { } chain)
        {
            var failure = TcpFailure.NoChain(facts, table.Version);
            var record = telemetry.ConnectionsOf(table.Listener.Signals, Reporter.Source, areCounted: false)?.Begin("", Asked(facts));
            record?.Explain(details: "filter_chain_not_found");
            Tell(record, failure);
            throw failure;
        }

        var draw = random.NextUInt64();
        return ConnectAsync(chain.Choose(draw), chain, facts, draw, cancellationToken);
    }

    private async ValueTask<MeshStream> ConnectAsync(Cluster cluster, TcpChain? chain, TcpFacts facts, ulong draw, CancellationToken cancellationToken)
    {
        var record = (chain is null ? Outside : SignalsOf(chain))?.Begin(cluster, Asked(facts));
        try
        {
            return await ConnectAsync(cluster, chain, facts, draw, record, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (Tell(record, e))
        {
            throw;
        }
    }

    private async ValueTask<MeshStream> ConnectAsync(Cluster cluster, TcpChain? chain, TcpFacts facts, ulong draw, ConnectionRecord? record, CancellationToken cancellationToken)
    {
        var breaker = cluster.Breakers[RoutingPriority.Default];
        var pick = new PickContext(draw);
        if (chain?.Proxy.HashesSourceAddress == true)
        {
            pick = pick with { HasHash = true, Hash = OwnAddress.Hash };
        }

        List<EndpointState>? tried = null;
        for (var attempt = 1u; ; attempt++)
        {
            // 1. An endpoint, and a permit.
            var endpoint = await AcquireAsync(cluster, facts, pick, tried, cancellationToken).ConfigureAwait(false);
            record?.Try(endpoint);
            if (!breaker.TryConnect(endpoint.State))
            {
                endpoint.State.Release();
                throw TcpFailure.Overflow(facts, cluster.Name, breaker.Limits.MaxConnections);
            }

            // 2. The connection.
            Stream? inner = null;
            try
            {
                inner = await endpoint.State.Transport.ConnectAsync(facts.Host, cancellationToken).ConfigureAwait(false);
                endpoint.State.Monitor?.OnConnected();
                var remote = LogicalHost.AddressOf(endpoint.Resource.Address);
                var connection = new TcpConnection(inner, $"{facts} ({cluster.Name} at {remote})", remote, endpoint.State, cluster.Stats, breaker, chain, time, chain?.Proxy.IdleTimeout ?? DefaultIdleTimeout)
                {
                    Load = endpoint.Load,
                    Record = record,
                };
                var stream = new TcpStream(connection);
                connection.Open(MaxDuration(chain, draw), CertificatesOf(inner));
                return stream;
            }
            catch (Exception e)
            {
                breaker.Disconnect(endpoint.State);
                endpoint.State.Release();
                if (inner is not null || AsSocketException(e) is not { } failure)
                {
                    inner?.Dispose();
                    throw;
                }

                endpoint.State.Monitor?.OnLocalOriginFailure(failure.SocketErrorCode == SocketError.TimedOut ? LocalOriginFailure.ConnectTimeout : LocalOriginFailure.ConnectFailed);
                if (attempt >= (chain?.Proxy.MaxConnectAttempts ?? 1))
                {
                    cluster.Stats.ConnectAttemptsExceeded.Increment();
                    throw TcpFailure.ConnectFailed(facts, cluster.Name, attempt, endpoint.ToString(), failure);
                }
            }

            // 3. Another try: as in Envoy of the same cluster, whatever the weights.
            (tried ??= []).Add(endpoint.State);
            pick = pick.Next() with { Attempt = attempt };
            if (chain!.Proxy.BackOff is { } backOff)
            {
                await Task.Delay(backOff.Before(attempt, random.NextUInt64()), time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private (DateTimeOffset Expires, TimeSpan Age)? CertificatesOf(Stream connection)
        => connection is TlsStream { Session: { IsMesh: true, Expires: { } expires } } ? (expires, CertificateAge.Until(expires, time, random)) : null;

    private static async ValueTask<Endpoint> AcquireAsync(Cluster cluster, TcpFacts facts, PickContext pick, List<EndpointState>? tried, CancellationToken cancellationToken)
    {
        for (var turn = 1; ; turn++)
        {
            var state = cluster.Current;
            if (state.Status != ClusterStatus.Ready)
            {
                throw TcpFailure.NoCluster(facts, cluster.Name, state.Error);
            }

            var endpoint = state.Destinations is { } destinations
                ? await LocateAsync(destinations, cluster, facts, cancellationToken).ConfigureAwait(false)
                : Pick(state, pick, tried);
            if (endpoint is null)
            {
                cluster.Stats.NoneHealthy.Increment();
                throw TcpFailure.NoHealthyUpstream(facts, cluster.Name, state.Error);
            }

            if (endpoint.State.TryAcquire())
            {
                return endpoint;
            }

            if (turn == MaxTurns)
            {
                throw TcpFailure.NoHealthyUpstream(facts, cluster.Name, "its endpoints change faster than they can be used");
            }
        }
    }

    private static Endpoint? Pick(ClusterState state, PickContext pick, List<EndpointState>? tried)
    {
        var endpoint = state.Endpoints.Pick(pick.Next());
        for (var i = 0u; i < HostSelections && endpoint is not null && tried?.Contains(endpoint.State) == true; i++)
        {
            pick = pick.Next() with { Attempt = pick.Attempt + 1 };
            endpoint = state.Endpoints.Pick(pick.Next());
        }

        return endpoint;
    }

    private static async ValueTask<Endpoint?> LocateAsync(OriginalDestinations destinations, Cluster cluster, TcpFacts facts, CancellationToken cancellationToken)
    {
        var key = new HostKey(facts.Host, destinations.Settings.Port ?? facts.Port);
        var destination = destinations.Find(key) ?? await destinations.LocateAsync(key, cancellationToken).ConfigureAwait(false);
        if (destination is null)
        {
            throw destinations.IsDisposed
                ? TcpFailure.NoCluster(facts, cluster.Name, "it has been let go")
                : TcpFailure.Unresolved(facts, cluster.Name, "UO", "too many original destinations at a time");
        }

        return destination.Pick() ?? throw TcpFailure.Unresolved(facts, cluster.Name, destination.Failure.Flags, destination.Failure.Body);
    }

    // All that is known of the caller's side of it, which is this process.
    private static ConnectionFacts? Asked(TcpFacts facts)
        => facts.Address is null && facts.Tls is null ? null
            : new ConnectionFacts { LocalEndPoint = facts.Address is { } address ? new IPEndPoint(address, facts.Port) : null, RequestedServerName = facts.Tls?.ServerName ?? "" };

    private ConnectionSignals? SignalsOf(TcpChain chain)
        => (chain.Signals ??= new Lazy<ConnectionSignals?>(() => telemetry.ConnectionsOf(chain.Resource.Signals, Reporter.Source))).Value;

    // Always false, to stand in an exception filter. Who has given up before there was a connection has gone.
    private static bool Tell(ConnectionRecord? record, Exception e)
    {
        if (record is not null)
        {
            var flags = e.Data[TcpFailure.FlagsKey] as string ?? (e is OperationCanceledException ? "DC" : "");
            if (flags == "UF")
            {
                record.Explain(upstream: e.Message);
            }

            record.Fail(flags);
        }

        return false;
    }

    // The host is to blame for what its transport says, not for what this process does wrong.
    private static SocketException? AsSocketException(Exception e)
        => e switch
        {
            SocketException socket => socket,
            AuthenticationException tls => new SocketException((int)SocketError.ConnectionAborted, tls.Message),
            IOException io => io.InnerException as SocketException ?? new SocketException((int)SocketError.ConnectionReset, io.Message),
            _ => null,
        };

    private static TimeSpan MaxDuration(TcpChain? chain, ulong draw)
    {
        if (chain?.Proxy is not { } proxy || proxy.MaxDuration == Timeout.InfiniteTimeSpan)
        {
            return Timeout.InfiniteTimeSpan;
        }

        var jitter = proxy.MaxDuration * proxy.MaxDurationJitter * (Draw.Next(~draw) / (double)ulong.MaxValue);
        return TimerRange.Limit(proxy.MaxDuration + jitter);
    }

    private sealed record OutsideSignals(StatsSettings? Stats, ConnectionSignals? Signals);
}
