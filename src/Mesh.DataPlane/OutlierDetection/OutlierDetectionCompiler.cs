using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Resources;
using Mesh.Xds.Client;
using Mesh.Xds.Validation;
using HttpProtocolOptions = Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions;

namespace Mesh.DataPlane.OutlierDetection;

/// <summary>Reads a cluster's outlier detection.</summary>
internal static class OutlierDetectionCompiler
{
    private const string HttpProtocolOptionsKey = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

    /// <returns><see langword="null"/> when the cluster has none.</returns>
    public static OutlierDetectionPolicy? Compile(Envoy.Config.Cluster.V3.Cluster cluster, List<string> notes)
    {
        if (cluster.OutlierDetection is not { } message)
        {
            return null;
        }

        var defaults = new OutlierDetectionPolicy();
        var baseTime = Positive(message.BaseEjectionTime, defaults.BaseEjectionTime, "base_ejection_time");
        var maxTime = Positive(message.MaxEjectionTime, Longer(OutlierDetectionPolicy.DefaultMaxEjectionTime, baseTime), "max_ejection_time");
        if (maxTime < baseTime)
        {
            throw new ResourceRejectedException("outlier_detection.max_ejection_time", "cannot be smaller than base_ejection_time");
        }

        if (message.Monitors.Count > 0)
        {
            notes.Add($"outlier_detection.monitors ({string.Join(", ", message.Monitors.Select(m => m.Name))})");
        }

        return new OutlierDetectionPolicy
        {
            Interval = Positive(message.Interval, defaults.Interval, "interval"),
            BaseEjectionTime = baseTime,
            MaxEjectionTime = maxTime,
            MaxEjectionTimeJitter = NotNegative(message.MaxEjectionTimeJitter, "max_ejection_time_jitter"),
            MaxEjectionPercent = message.MaxEjectionPercent ?? defaults.MaxEjectionPercent,
            AlwaysEjectOneHost = message.AlwaysEjectOneHost ?? defaults.AlwaysEjectOneHost,
            Consecutive5xx = message.Consecutive5Xx ?? defaults.Consecutive5xx,
            EnforcingConsecutive5xx = message.EnforcingConsecutive5Xx ?? defaults.EnforcingConsecutive5xx,
            ConsecutiveGatewayFailure = message.ConsecutiveGatewayFailure ?? defaults.ConsecutiveGatewayFailure,
            EnforcingConsecutiveGatewayFailure = message.EnforcingConsecutiveGatewayFailure ?? defaults.EnforcingConsecutiveGatewayFailure,
            SplitExternalLocalOriginErrors = message.SplitExternalLocalOriginErrors,
            ConsecutiveLocalOriginFailure = message.ConsecutiveLocalOriginFailure ?? defaults.ConsecutiveLocalOriginFailure,
            EnforcingConsecutiveLocalOriginFailure = message.EnforcingConsecutiveLocalOriginFailure ?? defaults.EnforcingConsecutiveLocalOriginFailure,
            EnforcingLocalOriginSuccessRate = message.EnforcingLocalOriginSuccessRate ?? defaults.EnforcingLocalOriginSuccessRate,
            EnforcingSuccessRate = message.EnforcingSuccessRate ?? defaults.EnforcingSuccessRate,
            SuccessRateMinimumHosts = message.SuccessRateMinimumHosts ?? defaults.SuccessRateMinimumHosts,
            SuccessRateRequestVolume = message.SuccessRateRequestVolume ?? defaults.SuccessRateRequestVolume,
            SuccessRateStdevFactor = message.SuccessRateStdevFactor ?? defaults.SuccessRateStdevFactor,
            FailurePercentageThreshold = message.FailurePercentageThreshold ?? defaults.FailurePercentageThreshold,
            EnforcingFailurePercentage = message.EnforcingFailurePercentage ?? defaults.EnforcingFailurePercentage,
            EnforcingFailurePercentageLocalOrigin = message.EnforcingFailurePercentageLocalOrigin ?? defaults.EnforcingFailurePercentageLocalOrigin,
            FailurePercentageMinimumHosts = message.FailurePercentageMinimumHosts ?? defaults.FailurePercentageMinimumHosts,
            FailurePercentageRequestVolume = message.FailurePercentageRequestVolume ?? defaults.FailurePercentageRequestVolume,
            SuccessfulActiveHealthCheckUnejectHost = message.SuccessfulActiveHealthCheckUnejectHost ?? defaults.SuccessfulActiveHealthCheckUnejectHost,
            DetectDegradedHosts = message.DetectDegradedHosts ?? defaults.DetectDegradedHosts,
            Errors = Errors(cluster),
        };
    }

    private static ErrorMatcher? Errors(Envoy.Config.Cluster.V3.Cluster cluster)
    {
        const string Path = $"typed_extension_protocol_options[{HttpProtocolOptionsKey}]";
        if (!cluster.TypedExtensionProtocolOptions.TryGetValue(HttpProtocolOptionsKey, out var any)
            || WireMessage.Parse(HttpProtocolOptions.Parser, any.Value, Path).OutlierDetection is not { } options)
        {
            return null;
        }

        return options.ErrorMatcher is { } matcher
            ? ErrorMatcherCompiler.Compile(matcher, Path + ".outlier_detection.error_matcher")
            : throw new ResourceRejectedException(Path + ".outlier_detection.error_matcher", "must be set");
    }

    private static TimeSpan Positive(Duration? value, TimeSpan otherwise, string field)
    {
        var span = value?.ToTimeSpan() ?? otherwise;
        return span > TimeSpan.Zero ? TimerRange.Limit(span) : throw new ResourceRejectedException("outlier_detection." + field, "must be greater than 0");
    }

    private static TimeSpan NotNegative(Duration? value, string field)
    {
        var span = value?.ToTimeSpan() ?? TimeSpan.Zero;
        return span >= TimeSpan.Zero ? TimerRange.Limit(span) : throw new ResourceRejectedException("outlier_detection." + field, "must not be negative");
    }

    private static TimeSpan Longer(TimeSpan one, TimeSpan other) => one > other ? one : other;
}
