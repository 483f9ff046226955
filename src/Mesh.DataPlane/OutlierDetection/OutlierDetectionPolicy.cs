namespace Mesh.DataPlane.OutlierDetection;

/// <summary>When a host counts as an outlier and what follows (<c>envoy.config.cluster.v3.OutlierDetection</c>). The defaults are Envoy's.</summary>
/// <remarks>A threshold of zero consecutive failures detects nothing; the enforcing shares are percent of the detections that eject.</remarks>
internal sealed record OutlierDetectionPolicy
{
    public static readonly TimeSpan DefaultMaxEjectionTime = TimeSpan.FromSeconds(300);

    /// <value>The time between two sweeps. The default is 10 seconds.</value>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(10);

    /// <value>Times the number of consecutive ejections is how long one lasts. The default is 30 seconds.</value>
    public TimeSpan BaseEjectionTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <value>The longest ejection, without its jitter. The default is 300 seconds, or the base time if that is longer.</value>
    public TimeSpan MaxEjectionTime { get; init; } = DefaultMaxEjectionTime;

    /// <value>Up to so much is added by chance to an ejection. The default is none.</value>
    public TimeSpan MaxEjectionTimeJitter { get; init; }

    /// <value>At most this percentage of the cluster's hosts is ejected. The default is 10: with fewer than ten hosts, nobody.</value>
    public uint MaxEjectionPercent { get; init; } = 10;

    /// <value>Whether one host may be ejected whatever <see cref="MaxEjectionPercent"/> says. The default is <see langword="false"/>.</value>
    public bool AlwaysEjectOneHost { get; init; }

    /// <value>The default is 5.</value>
    public uint Consecutive5xx { get; init; } = 5;

    /// <value>The default is 100.</value>
    public uint EnforcingConsecutive5xx { get; init; } = 100;

    /// <value>The default is 5.</value>
    public uint ConsecutiveGatewayFailure { get; init; } = 5;

    /// <value>The default is 0: detected and counted, never ejected.</value>
    public uint EnforcingConsecutiveGatewayFailure { get; init; }

    /// <value>Whether failures on the way are counted apart from the host's answers. The default is <see langword="false"/>.</value>
    public bool SplitExternalLocalOriginErrors { get; init; }

    /// <value>The default is 5.</value>
    public uint ConsecutiveLocalOriginFailure { get; init; } = 5;

    /// <value>The default is 100.</value>
    public uint EnforcingConsecutiveLocalOriginFailure { get; init; } = 100;

    /// <value>The default is 100.</value>
    public uint EnforcingLocalOriginSuccessRate { get; init; } = 100;

    /// <value>The default is 100.</value>
    public uint EnforcingSuccessRate { get; init; } = 100;

    /// <value>So many hosts must have had enough requests. The default is 5.</value>
    public uint SuccessRateMinimumHosts { get; init; } = 5;

    /// <value>So many requests within an interval are enough. The default is 100.</value>
    public uint SuccessRateRequestVolume { get; init; } = 100;

    /// <value>In thousandths: below the mean by so many standard deviations a host is an outlier. The default is 1900.</value>
    public uint SuccessRateStdevFactor { get; init; } = 1900;

    /// <value>The default is 85.</value>
    public uint FailurePercentageThreshold { get; init; } = 85;

    /// <value>The default is 0: detected and counted, never ejected.</value>
    public uint EnforcingFailurePercentage { get; init; }

    /// <value>The default is 0.</value>
    public uint EnforcingFailurePercentageLocalOrigin { get; init; }

    /// <value>The default is 5.</value>
    public uint FailurePercentageMinimumHosts { get; init; } = 5;

    /// <value>The default is 50.</value>
    public uint FailurePercentageRequestVolume { get; init; } = 50;

    /// <value>Whether passing an active health check ends an ejection. The default is <see langword="true"/>.</value>
    public bool SuccessfulActiveHealthCheckUnejectHost { get; init; } = true;

    /// <value>Whether <c>x-envoy-degraded</c> on a response makes its host degraded for a while. The default is <see langword="false"/>.</value>
    public bool DetectDegradedHosts { get; init; }

    /// <value>Which responses are errors; without it those with a status of 5xx.</value>
    public ErrorMatcher? Errors { get; init; }

    public uint Enforcing(EjectionReason reason) => reason switch
    {
        EjectionReason.Consecutive5xx => EnforcingConsecutive5xx,
        EjectionReason.ConsecutiveGatewayFailure => EnforcingConsecutiveGatewayFailure,
        EjectionReason.SuccessRate => EnforcingSuccessRate,
        EjectionReason.ConsecutiveLocalOriginFailure => EnforcingConsecutiveLocalOriginFailure,
        EjectionReason.SuccessRateLocalOrigin => EnforcingLocalOriginSuccessRate,
        EjectionReason.FailurePercentage => EnforcingFailurePercentage,
        _ => EnforcingFailurePercentageLocalOrigin,
    };

    /// <summary>How long an ejection lasts, jitter not included.</summary>
    public TimeSpan EjectionTime(uint multiplier)
    {
        var time = BaseEjectionTime * multiplier;
        return time < MaxEjectionTime ? time : MaxEjectionTime;
    }
}
