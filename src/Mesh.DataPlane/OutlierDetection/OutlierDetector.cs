using Mesh.DataPlane.Clusters;

namespace Mesh.DataPlane.OutlierDetection;

/// <summary>
/// Envoy's outlier detection for one cluster. Runs of failures eject where they are counted, rates are judged at every interval, and hosts come
/// back at the first interval after their time. Ejecting marks a host; its connections stay.
/// </summary>
/// <param name="policy">The settings to begin with.</param>
/// <param name="time">The clock.</param>
/// <param name="random">Decides what is enforced, and the jitter.</param>
/// <param name="events">Is told of ejections.</param>
/// <param name="changed">Called without a lock when some host's health has changed.</param>
internal sealed class OutlierDetector(OutlierDetectionPolicy policy, TimeProvider time, IRandomSource random, HostEvents events, Action changed) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<HostHealth, OutlierHost> _hosts = [];
    private OutlierDetectionPolicy _policy = policy;
    private ITimer? _interval;
    private int _ejected;
    private bool _disposed;

    public OutlierDetectionPolicy Policy => Volatile.Read(ref _policy);

    public OutlierStatistics Statistics { get; } = new();

    /// <summary><c>ejections_active</c>.</summary>
    public int EjectedHosts => Volatile.Read(ref _ejected);

    public void Start()
    {
        // Set when it is known here: the interval may be over before this thread goes on, and begins the next one.
        _interval = time.CreateTimer(static d => ((OutlierDetector)d!).OnInterval(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _interval.Change(Policy.Interval, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Goes on with other settings: who is ejected stays ejected, and counts go on.</summary>
    public void Use(OutlierDetectionPolicy next)
    {
        var previous = Policy;
        Volatile.Write(ref _policy, next);
        if (next.Interval != previous.Interval)
        {
            _interval?.Change(next.Interval, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Takes a host in; a known one keeps its record.</summary>
    public OutlierHost Add(HostHealth health, string address)
    {
        lock (_gate)
        {
            if (!_hosts.TryGetValue(health, out var host))
            {
                host = new OutlierHost(this, health, address);
                _hosts.Add(health, host);
            }

            return host;
        }
    }

    public void Remove(HostHealth health)
    {
        lock (_gate)
        {
            if (_hosts.Remove(health, out var host) && host.IsEjected)
            {
                _ejected--;
            }
        }
    }

    /// <summary>A run of failures has reached its threshold; from the request's thread.</summary>
    public void OnConsecutiveFailures(OutlierHost host, EjectionReason reason)
    {
        bool ejected;
        lock (_gate)
        {
            if (_disposed || !_hosts.ContainsKey(host.Health) || host.IsEjected)
            {
                return;
            }

            Statistics.AddDetected(reason);
            ejected = TryEject(host, reason);

            // Also where nothing is ejected: the next run is judged again.
            host.Reset(reason);
        }

        if (ejected)
        {
            changed();
        }
    }

    /// <summary>The host has called itself degraded.</summary>
    public void OnDegraded(OutlierHost host)
    {
        lock (_gate)
        {
            if (_disposed || !_hosts.ContainsKey(host.Health) || !host.Health.Set(HealthFlags.DegradedOutlierDetection))
            {
                return;
            }

            host.Degrading.Begin(Policy, time.GetTimestamp(), Jitter());
        }

        events.Degraded(host.Address);
        changed();
    }

    /// <summary>An active health check has passed, which ends an ejection unless the policy says otherwise; the caller tells of the change.</summary>
    /// <returns>Whether it did.</returns>
    public bool OnHealthCheckPassed(HostHealth health)
    {
        lock (_gate)
        {
            if (_disposed || !Policy.SuccessfulActiveHealthCheckUnejectHost || !_hosts.TryGetValue(health, out var host) || !host.IsEjected)
            {
                return false;
            }

            Uneject(host);
            return true;
        }
    }

    /// <summary>Ends detection: nobody stays ejected by it.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _interval?.Dispose();
            foreach (var health in _hosts.Keys)
            {
                health.Clear(HealthFlags.FailedOutlierCheck | HealthFlags.DegradedOutlierDetection);
            }

            _hosts.Clear();
            _ejected = 0;
        }
    }

    private void OnInterval()
    {
        var healthChanged = false;
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            // 1. Who comes back; and the interval's requests are complete.
            var policy = Policy;
            var now = time.GetTimestamp();
            foreach (var host in _hosts.Values)
            {
                if (host.IsEjected && host.Ejecting.IsOver(policy, time, now))
                {
                    Uneject(host);
                    healthChanged = true;
                }

                if (host.Health.Has(HealthFlags.DegradedOutlierDetection) && host.Degrading.IsOver(policy, time, now))
                {
                    host.Health.Clear(HealthFlags.DegradedOutlierDetection);
                    host.Degrading.End(now);
                    healthChanged = true;
                }

                host.EndInterval();
            }

            // 2. Who is worse than the others, or than allowed.
            healthChanged |= JudgeRates(policy, local: false);
            healthChanged |= JudgeRates(policy, local: true);

            // 3. Health shortens the next ejection.
            foreach (var host in _hosts.Values)
            {
                if (!host.IsEjected)
                {
                    host.Ejecting.Decay(policy, time, now);
                }

                if (!host.Health.Has(HealthFlags.DegradedOutlierDetection))
                {
                    host.Degrading.Decay(policy, time, now);
                }
            }

            _interval!.Change(policy.Interval, Timeout.InfiniteTimeSpan);
        }

        if (healthChanged)
        {
            changed();
        }
    }

    private bool JudgeRates(OutlierDetectionPolicy policy, bool local)
    {
        if (_hosts.Count < policy.SuccessRateMinimumHosts && _hosts.Count < policy.FailurePercentageMinimumHosts)
        {
            return false;
        }

        var forRate = new List<(OutlierHost Host, double Rate)>();
        var forPercentage = new List<(OutlierHost Host, double Rate)>();
        foreach (var host in _hosts.Values)
        {
            var tally = local ? host.LocalOrigin : host.External;
            if (host.IsEjected || tally.SuccessRate is not { } rate)
            {
                continue;
            }

            if (tally.Requests >= Math.Min(policy.SuccessRateRequestVolume, policy.FailurePercentageRequestVolume))
            {
                host.Judge(rate, local);
            }

            if (tally.Requests >= policy.SuccessRateRequestVolume)
            {
                forRate.Add((host, rate));
            }

            if (tally.Requests >= policy.FailurePercentageRequestVolume)
            {
                forPercentage.Add((host, rate));
            }
        }

        var ejected = false;
        if (forRate.Count > 0 && forRate.Count >= policy.SuccessRateMinimumHosts)
        {
            var threshold = SuccessRateThreshold(forRate, policy.SuccessRateStdevFactor / 1000.0);
            foreach (var (host, rate) in forRate)
            {
                if (rate < threshold)
                {
                    ejected |= Detect(host, local ? EjectionReason.SuccessRateLocalOrigin : EjectionReason.SuccessRate);
                }
            }
        }

        if (forPercentage.Count > 0 && forPercentage.Count >= policy.FailurePercentageMinimumHosts)
        {
            foreach (var (host, rate) in forPercentage)
            {
                if (100.0 - rate >= policy.FailurePercentageThreshold)
                {
                    ejected |= Detect(host, local ? EjectionReason.FailurePercentageLocalOrigin : EjectionReason.FailurePercentage);
                }
            }
        }

        return ejected;

        bool Detect(OutlierHost host, EjectionReason reason)
        {
            Statistics.AddDetected(reason);
            return !host.IsEjected && TryEject(host, reason);
        }
    }

    private static double SuccessRateThreshold(List<(OutlierHost Host, double Rate)> hosts, double factor)
    {
        var mean = hosts.Average(h => h.Rate);
        var deviation = Math.Sqrt(hosts.Average(h => (h.Rate - mean) * (h.Rate - mean)));
        return mean - (factor * deviation);
    }

    private bool TryEject(OutlierHost host, EjectionReason reason)
    {
        var policy = Policy;
        if (100.0 * (_ejected + 1) / _hosts.Count > Math.Min(100, policy.MaxEjectionPercent) && !(policy.AlwaysEjectOneHost && _ejected == 0))
        {
            Statistics.AddOverflow();
            return false;
        }

        var share = policy.Enforcing(reason);
        if (share == 0 || (share < 100 && random.Next(100) >= share))
        {
            events.Ejected(host.Address, reason, TimeSpan.Zero, enforced: false);
            return false;
        }

        Statistics.AddEnforced(reason);
        _ejected++;
        host.Health.Set(HealthFlags.FailedOutlierCheck);
        host.Ejections++;
        var duration = host.Ejecting.Begin(policy, time.GetTimestamp(), Jitter());
        host.LastEjection = new Ejection(reason, time.GetUtcNow(), duration);
        events.Ejected(host.Address, reason, duration, enforced: true);
        return true;
    }

    private void Uneject(OutlierHost host)
    {
        _ejected--;
        host.Health.Clear(HealthFlags.FailedOutlierCheck);
        host.ResetAll();
        host.Ejecting.End(time.GetTimestamp());
        events.Unejected(host.Address);
    }

    // Envoy's unit is the millisecond.
    private TimeSpan Jitter()
    {
        var most = (uint)Math.Min(Policy.MaxEjectionTimeJitter.TotalMilliseconds, uint.MaxValue - 1);
        return most == 0 ? TimeSpan.Zero : TimeSpan.FromMilliseconds(random.Next(most + 1));
    }
}
