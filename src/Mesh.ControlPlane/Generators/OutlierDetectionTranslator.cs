using System.Globalization;
using Envoy.Config.Common.Matcher.V3;
using Envoy.Config.Route.V3;
using Envoy.Type.Matcher.V3;
using EnvoyOutlierDetection = Envoy.Config.Cluster.V3.OutlierDetection;
using HttpOutlierDetection = Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions.Types.OutlierDetection;
using IstioOutlierDetection = Istio.Networking.V1Alpha3.OutlierDetection;

namespace Mesh.ControlPlane.Generators;

/// <summary>Outlier detection with the values that Istio generates: what a rule counts is enforced at 100 %, success rate never.</summary>
internal static class OutlierDetectionTranslator
{
    public static EnvoyOutlierDetection Translate(IstioOutlierDetection settings)
    {
        var detection = new EnvoyOutlierDetection { EnforcingSuccessRate = 0, Interval = settings.Interval, BaseEjectionTime = settings.BaseEjectionTime };
        if (settings.Consecutive5XxErrors is { } errors)
        {
            detection.Consecutive5Xx = errors;
            detection.EnforcingConsecutive5Xx = Enforced(errors);
        }

        if (settings.ConsecutiveGatewayErrors is { } gatewayErrors)
        {
            detection.ConsecutiveGatewayFailure = gatewayErrors;
            detection.EnforcingConsecutiveGatewayFailure = Enforced(gatewayErrors);
        }

#pragma warning disable CS0612 // Older documents; Istio meant 502, 503 and 504 by it, and 5xx were not counted besides.
        if (settings is { ConsecutiveErrors: > 0, Consecutive5XxErrors: null, ConsecutiveGatewayErrors: null })
        {
            detection.ConsecutiveGatewayFailure = (uint)settings.ConsecutiveErrors;
            detection.EnforcingConsecutiveGatewayFailure = 100;
            detection.EnforcingConsecutive5Xx = 0;
        }
#pragma warning restore CS0612

        if (settings.MaxEjectionPercent > 0)
        {
            detection.MaxEjectionPercent = (uint)settings.MaxEjectionPercent;
        }

        if (settings.SplitExternalLocalOriginErrors)
        {
            detection.SplitExternalLocalOriginErrors = true;
            detection.EnforcingLocalOriginSuccessRate = 0;
            if (settings.ConsecutiveLocalOriginFailures is > 0 and var failures)
            {
                detection.ConsecutiveLocalOriginFailure = failures;
                detection.EnforcingConsecutiveLocalOriginFailure = 100;
            }
        }

        return detection;
    }

    /// <summary>The status codes that count as errors in place of 5xx; <see langword="null"/> where the rule names none.</summary>
    public static HttpOutlierDetection? TranslateErrorCodes(IstioOutlierDetection? settings)
    {
        if (settings is null or { OutlierDetectionHttpErrorCodes.Count: 0 })
        {
            return null;
        }

        var codes = settings.OutlierDetectionHttpErrorCodes.Select(ToPredicate).ToArray();
        return new HttpOutlierDetection
        {
            ErrorMatcher = codes.Length == 1 ? codes[0] : new MatchPredicate { OrMatch = new MatchPredicate.Types.MatchSet { Rules = { codes } } },
        };
    }

    private static MatchPredicate ToPredicate(uint code) => new()
    {
        HttpResponseHeadersMatch = new HttpHeadersMatch
        {
            Headers = { new HeaderMatcher { Name = ":status", StringMatch = new StringMatcher { Exact = code.ToString(CultureInfo.InvariantCulture) } } },
        },
    };

    private static uint Enforced(uint count) => count > 0 ? 100u : 0u;
}
