using System.Globalization;
using Mesh.DataPlane.Headers;
using Mesh.DataPlane.Retry;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Timeouts;

namespace Mesh.DataPlane.Explaining;

/// <summary>Says in words what a route does with a request beside choosing its cluster. Values of headers are not said: they may be secrets.</summary>
internal static class PolicyWords
{
    public static IEnumerable<string> Of(RoutePolicy policy)
    {
        foreach (var line in policy.Timeouts is { } timeouts ? Of(timeouts) : [])
        {
            yield return line;
        }

        if (policy.Retry is { } retry)
        {
            yield return Of(retry);
        }

        if (policy.Hedge is { OnPerTryTimeout: true })
        {
            yield return "hedged on per-try timeout";
        }

        if (policy.Rewrite is { } rewrite)
        {
            yield return $"rewrites {string.Join(" and ", new[] { rewrite.Path is null ? null : "the path", rewrite.Host is null ? null : "the host" }.OfType<string>())}";
        }

        foreach (var line in Of("request", policy.RequestHeaders).Concat(Of("response", policy.ResponseHeaders)))
        {
            yield return line;
        }

        if (policy.HashPolicies is not null)
        {
            yield return "placed by a hash of the request, where the cluster hashes";
        }

        if (policy.InternalRedirect is not null)
        {
            yield return "follows redirects of the upstream";
        }

        if (policy.Priority == RoutingPriority.High)
        {
            yield return "counted by the circuit breakers of priority HIGH";
        }
    }

    private static IEnumerable<string> Of(TimeoutPolicy timeouts)
    {
        if (timeouts.Route > TimeSpan.Zero)
        {
            yield return $"timeout {Text(timeouts.Route)}";
        }

        if (timeouts.Idle is { } idle && idle > TimeSpan.Zero)
        {
            yield return $"idle timeout {Text(idle)}";
        }

        if (timeouts.MaxStreamDuration is { } most && most > TimeSpan.Zero)
        {
            yield return $"at most {Text(most)} in all";
        }
    }

    private static string Of(RetryPolicy retry)
        => string.Create(CultureInfo.InvariantCulture, $"retries {retry.NumRetries} time(s) on {string.Join(", ", RetryOnParser.NamesOf(retry.On))}")
            + (retry.StatusCodes.Length > 0 ? $" ({string.Join(", ", retry.StatusCodes)})" : "")
            + (retry.PerTryTimeout > TimeSpan.Zero ? $", {Text(retry.PerTryTimeout)} a try" : "");

    private static IEnumerable<string> Of(string side, HeaderMutations[]? levels)
    {
        foreach (var level in levels ?? [])
        {
            if (level.Removed.Any())
            {
                yield return $"removes {side} headers {string.Join(", ", level.Removed)}";
            }

            if (level.Added.Any())
            {
                yield return $"sets {side} headers {string.Join(", ", level.Added)}";
            }
        }
    }

    private static string Text(TimeSpan time)
        => time.TotalSeconds < 1
            ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0.###} ms")
            : string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.###} s");
}
