using Mesh.DataPlane.Clusters;

namespace Mesh.DataPlane.OutlierDetection;

/// <summary>Outlier detection's record of one host: counters that requests move without a lock, and a history that only the detector changes.</summary>
internal sealed class OutlierHost(OutlierDetector detector, HostHealth health, string address)
{
    private uint _consecutive5xx;
    private uint _consecutiveGatewayFailures;
    private uint _consecutiveLocalOriginFailures;

    public HostHealth Health { get; } = health;

    public string Address { get; } = address;

    public OutlierDetectionPolicy Policy => detector.Policy;

    public bool IsEjected => Health.Has(HealthFlags.FailedOutlierCheck);

    /// <summary>How often it has been ejected since its address became an endpoint.</summary>
    public uint Ejections { get; set; }

    public Ejection? LastEjection { get; set; }

    /// <summary>What the host's answers come to.</summary>
    public RequestTally External { get; } = new();

    /// <summary>What reaching the host comes to; counts only when the policy splits the two.</summary>
    public RequestTally LocalOrigin { get; } = new();

    /// <summary>The success rate that the last interval was judged by; <see langword="null"/> without enough requests.</summary>
    public double? SuccessRate { get; private set; }

    /// <inheritdoc cref="SuccessRate"/>
    public double? LocalOriginSuccessRate { get; private set; }

    /// <summary>How the length of ejections grows and shrinks.</summary>
    public Backoff Ejecting { get; } = new();

    /// <summary>The same for being degraded.</summary>
    public Backoff Degrading { get; } = new();

    public void OnResponse(int status)
    {
        if (Policy.SplitExternalLocalOriginErrors)
        {
            OnLocalOriginSuccess();
        }

        OnStatus(status);
    }

    public void OnLocalOriginFailure(LocalOriginFailure failure)
    {
        if (!Policy.SplitExternalLocalOriginErrors)
        {
            OnStatus(failure == LocalOriginFailure.Timeout ? 504 : 503);
            return;
        }

        // As in Envoy every established connection counts as a success of the way first, whatever becomes of the request on it.
        if (failure is LocalOriginFailure.Reset or LocalOriginFailure.Timeout)
        {
            OnLocalOriginSuccess();
        }

        LocalOrigin.AddFailure();
        if (Interlocked.Increment(ref _consecutiveLocalOriginFailures) == Policy.ConsecutiveLocalOriginFailure)
        {
            detector.OnConsecutiveFailures(this, EjectionReason.ConsecutiveLocalOriginFailure);
        }
    }

    /// <summary>As in Envoy a connection is a success of the way where that is judged by itself, and else one like a response.</summary>
    public void OnConnected()
    {
        if (Policy.SplitExternalLocalOriginErrors)
        {
            OnLocalOriginSuccess();
        }
        else
        {
            OnStatus(200);
        }
    }

    public void OnLocalOriginSuccess()
    {
        if (Policy.SplitExternalLocalOriginErrors)
        {
            LocalOrigin.AddSuccess();
            Reset(ref _consecutiveLocalOriginFailures);
        }
    }

    public void OnDegraded()
    {
        if (!Health.Has(HealthFlags.DegradedOutlierDetection))
        {
            detector.OnDegraded(this);
        }
    }

    /// <summary>Ends the interval: what was counted is to be judged, what was judged is past.</summary>
    public void EndInterval()
    {
        External.Roll();
        LocalOrigin.Roll();
        SuccessRate = null;
        LocalOriginSuccessRate = null;
    }

    public void Judge(double rate, bool local)
    {
        if (local)
        {
            LocalOriginSuccessRate = rate;
        }
        else
        {
            SuccessRate = rate;
        }
    }

    /// <summary>Lets a run of failures begin anew.</summary>
    public void Reset(EjectionReason reason)
    {
        switch (reason)
        {
            case EjectionReason.Consecutive5xx:
                Reset(ref _consecutive5xx);
                break;
            case EjectionReason.ConsecutiveGatewayFailure:
                Reset(ref _consecutiveGatewayFailures);
                break;
            default:
                Reset(ref _consecutiveLocalOriginFailures);
                break;
        }
    }

    /// <summary>Lets every run begin anew, so that a host which comes back is not ejected for what it did before.</summary>
    public void ResetAll()
    {
        Reset(ref _consecutive5xx);
        Reset(ref _consecutiveGatewayFailures);
        Reset(ref _consecutiveLocalOriginFailures);
    }

    private void OnStatus(int status)
    {
        if (status is < 500 or > 599)
        {
            External.AddSuccess();
            Reset(ref _consecutive5xx);
            Reset(ref _consecutiveGatewayFailures);
            return;
        }

        External.AddFailure();
        if (status is not (502 or 503 or 504))
        {
            Reset(ref _consecutiveGatewayFailures);
        }
        else if (Interlocked.Increment(ref _consecutiveGatewayFailures) == Policy.ConsecutiveGatewayFailure)
        {
            detector.OnConsecutiveFailures(this, EjectionReason.ConsecutiveGatewayFailure);
        }

        if (Interlocked.Increment(ref _consecutive5xx) == Policy.Consecutive5xx)
        {
            detector.OnConsecutiveFailures(this, EjectionReason.Consecutive5xx);
        }
    }

    // Reading first keeps the line shared between the cores that see only successes.
    private static void Reset(ref uint counter)
    {
        if (Volatile.Read(ref counter) != 0)
        {
            Volatile.Write(ref counter, 0);
        }
    }
}
