namespace Mesh.DataPlane.HealthChecking;

/// <summary>How often hosts are checked and what follows (<c>envoy.config.core.v3.HealthCheck</c>).</summary>
/// <param name="Kind">What a check does.</param>
/// <param name="Timeout">How long one check may take.</param>
/// <param name="Interval">The time between checks of a healthy host.</param>
/// <param name="UnhealthyThreshold">So many failures of the network in a row make a host unhealthy.</param>
/// <param name="HealthyThreshold">So many passes in a row make it healthy again; the very first check decides alone.</param>
internal sealed record HealthCheckPolicy(HealthCheckKind Kind, TimeSpan Timeout, TimeSpan Interval, uint UnhealthyThreshold, uint HealthyThreshold)
{
    public TimeSpan InitialJitter { get; init; }

    public TimeSpan IntervalJitter { get; init; }

    public uint IntervalJitterPercent { get; init; }

    /// <value>While the cluster has never been sent a request. The default is 60 seconds.</value>
    public TimeSpan NoTrafficInterval { get; init; } = TimeSpan.FromSeconds(60);

    /// <value>The same for healthy hosts. The default is <see cref="NoTrafficInterval"/>.</value>
    public TimeSpan? NoTrafficHealthyInterval { get; init; }

    /// <value>For unhealthy hosts. The default is the interval.</value>
    public TimeSpan? UnhealthyInterval { get; init; }

    /// <value>After a failure that does not make the host unhealthy yet. The default is <see cref="UnhealthyInterval"/>.</value>
    public TimeSpan? UnhealthyEdgeInterval { get; init; }

    /// <value>After a pass that does not make the host healthy yet. The default is the interval.</value>
    public TimeSpan? HealthyEdgeInterval { get; init; }

    /// <value>The port that is checked unless the endpoint says otherwise; <see langword="null"/> is the one that serves.</value>
    public ushort? AlternativePort { get; init; }

    /// <value>By what a transport is chosen among the cluster's, instead of by the endpoint (<c>transport_socket_match_criteria</c>); <see langword="null"/> for as requests.</value>
    public IReadOnlyDictionary<string, Google.Protobuf.WellKnownTypes.Value>? TransportCriteria { get; init; }

    /// <value>The protocols that a secure check offers (<c>tls_options.alpn_protocols</c>); by default those of requests.</value>
    public IReadOnlyList<string> Protocols { get; init; } = [];

    /// <value>Whether every failure is logged, or only the first check's. The default is <see langword="false"/>.</value>
    public bool AlwaysLogFailures { get; init; }

    /// <value>Whether every pass is logged. The default is <see langword="false"/>.</value>
    public bool AlwaysLogSuccesses { get; init; }

    /// <summary>The message as it came: two policies are the same when this is.</summary>
    public required Google.Protobuf.ByteString Source { get; init; }

    public bool Equals(HealthCheckPolicy? other) => other is not null && Source.Equals(other.Source);

    public override int GetHashCode() => Source.GetHashCode();

    /// <summary>The time until the next check, without jitter.</summary>
    public TimeSpan NextIn(bool passed, HealthTransition transition, bool hadTraffic)
    {
        var pending = transition == HealthTransition.ChangePending;
        if (!hadTraffic)
        {
            return passed && !pending ? NoTrafficHealthyInterval ?? NoTrafficInterval : NoTrafficInterval;
        }

        var unhealthy = UnhealthyInterval ?? Interval;
        return passed
            ? pending ? HealthyEdgeInterval ?? Interval : Interval
            : pending ? UnhealthyEdgeInterval ?? unhealthy : unhealthy;
    }

    /// <summary>Adds chance to a time, in whole milliseconds as Envoy does, and never lets it be zero.</summary>
    public TimeSpan WithJitter(TimeSpan time, TimeSpan jitter, IRandomSource random)
    {
        var milliseconds = (ulong)time.TotalMilliseconds;
        var percent = IntervalJitterPercent * milliseconds / 100;
        if (percent > 0)
        {
            milliseconds += random.Next((uint)Math.Min(percent, uint.MaxValue));
        }

        if (jitter >= TimeSpan.FromMilliseconds(1))
        {
            milliseconds += random.Next((uint)Math.Min(jitter.TotalMilliseconds, uint.MaxValue));
        }

        return TimeSpan.FromMilliseconds(Math.Max(1, milliseconds));
    }
}
