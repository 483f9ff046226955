using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Istio.Networking.V1Alpha3;

namespace Mesh.ControlPlane.Config.Validation;

internal static class HttpRetryValidator
{
    private static readonly HashSet<string> Policies = new(StringComparer.Ordinal)
    {
        "5xx", "gateway-error", "reset", "reset-before-request", "connect-failure", "retriable-4xx", "refused-stream",
        "retriable-status-codes", "retriable-headers", "envoy-ratelimited", "http3-post-connect-failure",
        "cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable",
    };

    public static void Validate(HTTPRetry? retries, Duration? timeout, string path, ValidationContext context)
    {
        if (retries is null)
        {
            return;
        }

        if (retries.Attempts < 0)
        {
            context.Error($"{path}.attempts", $"must not be negative, but is {retries.Attempts}.");
        }
        else if (retries.Attempts == 0 && (retries.PerTryTimeout is not null || retries.RetryOn.Length > 0 || retries.RetryRemoteLocalities is not null))
        {
            context.Error($"{path}.attempts", "is 0, which disables retries: remove the other fields of retries, or give it a number.");
        }

        FieldRules.AtLeastAMillisecond(retries.PerTryTimeout, $"{path}.perTryTimeout", context);
        if (timeout is { Seconds: > 0 } or { Nanos: > 0 } && retries.PerTryTimeout is { } perTry && perTry.ToTimeSpan() >= timeout.ToTimeSpan())
        {
            context.Warn($"{path}.perTryTimeout", "is no shorter than the timeout of the route, so it never ends a try.");
        }

        FieldRules.AtLeastAMillisecond(retries.Backoff, $"{path}.backoff", context);
        foreach (var policy in retries.RetryOn.Length == 0 ? [] : retries.RetryOn.Split(','))
        {
            var name = policy.Trim();
            var code = int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var number);
            if (code ? !HasStatusText(number) : !Policies.Contains(name))
            {
                context.Error($"{path}.retryOn", $"\"{name}\" is neither a status code nor one of {string.Join(", ", Policies)}.");
            }
        }
    }

    // Istio takes the codes for which Go knows a text.
    private static bool HasStatusText(int code)
        => code is (>= 100 and <= 103) or (>= 200 and <= 208) or 226 or (>= 300 and <= 305) or 307 or 308
            or (>= 400 and <= 418) or (>= 421 and <= 426) or 428 or 429 or 431 or 451 or (>= 500 and <= 508) or 510 or 511;
}
