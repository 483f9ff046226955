using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Istio.Networking.V1Alpha3;
using Mesh.Xds.Redaction;

namespace Mesh.ControlPlane.Debug.Describing;

/// <summary>The entries of a VirtualService in words.</summary>
internal static class RouteWords
{
    private const int MaxMatches = 8;

    /// <summary>When an entry takes a request.</summary>
    public static string WhenOf(HTTPRoute route)
        => route.Match.Count == 0 ? "every request"
            : string.Join(", or ", route.Match.Take(MaxMatches).Select(WhenOf)) + (route.Match.Count > MaxMatches ? $", or {route.Match.Count - MaxMatches} more" : "");

    /// <summary>Where an entry leads, and with what share.</summary>
    public static string WhereOf(HTTPRoute route)
    {
        if (route.Redirect is { } redirect)
        {
            return $"redirected to {redirect.Authority}{redirect.Uri}";
        }

        if (route.DirectResponse is { } direct)
        {
            return string.Create(CultureInfo.InvariantCulture, $"answered with {direct.Status}");
        }

        if (route.Delegate is { } to)
        {
            return $"as VirtualService {to.Name}{(to.Namespace.Length > 0 ? "." + to.Namespace : "")} says";
        }

        var total = route.Route.Sum(destination => destination.Weight);
        return string.Join(", ", route.Route.Select(destination => route.Route.Count == 1 || total == 0
            ? NameOf(destination.Destination)
            : string.Create(CultureInfo.InvariantCulture, $"{100.0 * destination.Weight / total:0.##}% {NameOf(destination.Destination)}")));
    }

    /// <summary>What else happens to the requests of an entry.</summary>
    public static IReadOnlyList<string> AlsoOf(HTTPRoute route)
    {
        var also = new List<string>();
        if (route.Fault?.Delay is { } delay)
        {
            also.Add($"{Percent(delay.Percentage)} delayed{(delay.FixedDelay is { } time ? " by " + Text(time) : "")}");
        }

        if (route.Fault?.Abort is { } abort)
        {
            also.Add(string.Create(CultureInfo.InvariantCulture, $"{Percent(abort.Percentage)} aborted with {(abort.HttpStatus > 0 ? abort.HttpStatus : abort.GrpcStatus)}"));
        }

        if (route.Timeout is { } timeout)
        {
            also.Add($"timeout {Text(timeout)}");
        }

        if (route.Retries is { } retries)
        {
            also.Add(retries.Attempts == 0 ? "no retries"
                : string.Create(CultureInfo.InvariantCulture, $"up to {retries.Attempts} retries{(retries.RetryOn.Length > 0 ? " on " + retries.RetryOn : "")}{(retries.PerTryTimeout is { } perTry ? ", " + Text(perTry) + " a try" : "")}"));
        }

        if (route.Rewrite is { } rewrite)
        {
            also.Add($"rewritten to {rewrite.Authority}{(rewrite.Uri.Length > 0 ? rewrite.Uri : rewrite.UriRegexRewrite?.Rewrite)}");
        }

        also.AddRange(route.Mirrors.Select(mirror => $"copied to {NameOf(mirror.Destination)}{(mirror.Percentage is { } share ? " (" + Percent(share) + ")" : "")}"));
        if (route.Mirror is { } only)
        {
            also.Add($"copied to {NameOf(only)}");
        }

        if (route.Headers is not null || route.Route.Any(destination => destination.Headers is not null))
        {
            also.Add("headers are changed");
        }

        if (route.CorsPolicy is not null)
        {
            also.Add("CORS");
        }

        return also;
    }

    public static string NameOf(Destination? destination)
        => destination is null ? "nowhere"
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{destination.Host}{(destination.Port is { Number: > 0 } port ? $":{port.Number}" : "")}{(destination.Subset.Length > 0 ? $" subset {destination.Subset}" : "")}");

    private static string WhenOf(HTTPMatchRequest match)
    {
        var parts = new List<string>();
        Add("path", match.Uri);
        Add("method", match.Method);
        Add("authority", match.Authority);
        Add("scheme", match.Scheme);
        foreach (var (name, value) in match.Headers.OrderBy(header => header.Key, StringComparer.Ordinal))
        {
            Add($"header {name}", value, SecretRedaction.IsSecret(name));
        }

        foreach (var (name, value) in match.WithoutHeaders.OrderBy(header => header.Key, StringComparer.Ordinal))
        {
            Add($"no header {name}", value, SecretRedaction.IsSecret(name));
        }

        foreach (var (name, value) in match.QueryParams.OrderBy(parameter => parameter.Key, StringComparer.Ordinal))
        {
            Add($"query {name}", value, SecretRedaction.IsSecret(name));
        }

        if (match.Port > 0)
        {
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"port {match.Port}"));
        }

        if (match.SourceLabels.Count > 0)
        {
            parts.Add("from " + string.Join(',', match.SourceLabels.OrderBy(label => label.Key, StringComparer.Ordinal).Select(label => $"{label.Key}={label.Value}")));
        }

        if (match.SourceNamespace.Length > 0)
        {
            parts.Add($"from namespace {match.SourceNamespace}");
        }

        return parts.Count == 0 ? "every request" : string.Join(" and ", parts);

        void Add(string what, StringMatch? value, bool isSecret = false)
        {
            if (value is null)
            {
                return;
            }

            var (how, text) = value.MatchTypeCase switch
            {
                StringMatch.MatchTypeOneofCase.Exact => (" = ", value.Exact),
                StringMatch.MatchTypeOneofCase.Prefix => (" begins with ", value.Prefix),
                StringMatch.MatchTypeOneofCase.Regex => (" matches ", value.Regex),
                _ => ("", ""),
            };
            parts.Add($"{what}{how}{(isSecret && text.Length > 0 ? SecretRedaction.Redacted : text)}");
        }
    }

    private static string Percent(Percent? percent) => percent is null ? "100%" : percent.Value.ToString("0.####", CultureInfo.InvariantCulture) + "%";

    private static string Text(Duration duration)
    {
        var time = duration.ToTimeSpan();
        return time.TotalSeconds >= 1 || time == TimeSpan.Zero
            ? time.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture) + "s"
            : time.TotalMilliseconds.ToString("0.###", CultureInfo.InvariantCulture) + "ms";
    }
}
