using System.Net;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Retry;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Upstream;

namespace Mesh.DataPlane.Redirects;

/// <summary>
/// Decides, as Envoy's router does, whether an upstream's redirect is followed here, and makes the request that follows it: what was sent, headers
/// that route and filters have added included, to the new address. A redirect that is not followed goes to the caller.
/// </summary>
internal sealed class InternalRedirector(HostDirectory hosts, DecisionMaker decisions)
{
    private const string OriginalUrl = "x-envoy-original-url";

    private static readonly UriCreationOptions Verbatim = new() { DangerousDisablePathAndQueryCanonicalization = true };

    public InternalRedirectStats Stats { get; } = new();

    /// <param name="policy">What the route wants.</param>
    /// <param name="input">The request; gets the one that follows the redirect, if one does.</param>
    /// <param name="attempt">The attempt that was redirected.</param>
    /// <param name="cancellationToken">The caller's token.</param>
    /// <returns>The attempt, which has ended where the redirect is followed.</returns>
    public async ValueTask<Attempt> TryFollowAsync(InternalRedirectPolicy policy, AttemptInput input, Attempt attempt, CancellationToken cancellationToken)
    {
        var stats = attempt.Decision.Cluster!.Stats;
        try
        {
            input.Redirect = await TryMakeAsync(policy, input, attempt, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            attempt.Dispose();
            throw;
        }

        if (input.Redirect is null)
        {
            stats.InternalRedirectsFailed.Increment();
        }
        else
        {
            stats.InternalRedirectsSucceeded.Increment();
            attempt.Dispose();
        }

        return attempt;
    }

    private async ValueTask<InternalRedirect?> TryMakeAsync(
        InternalRedirectPolicy policy, AttemptInput input, Attempt attempt, CancellationToken cancellationToken)
    {
        var request = input.Request;
        // 1. A request that is over, with a body that can go out again.
        var response = attempt.Response!;
        if (request.Method == HttpMethod.Connect
            || request.Headers.NonValidated.Contains("Upgrade")
            || !TryGetBody(request, input.Body, out var content)
            || !response.Headers.NonValidated.TryGetValues("Location", out var locations))
        {
            return null;
        }

        // 2. An address that may be gone to, before all others have been tried.
        if (Target(locations.ToString()) is not { } target)
        {
            Stats.BadLocation.Increment();
            return null;
        }

        var isHttps = request.RequestUri!.Scheme is "https" or "wss";
        var toHttps = target.Scheme == Uri.UriSchemeHttps;
        if (isHttps != toHttps && !policy.AllowsCrossScheme)
        {
            Stats.UnsafeScheme.Increment();
            return null;
        }

        var history = InternalRedirectHistory.Of(request);
        if (history.Count >= policy.MaxRedirects)
        {
            Stats.TooManyRedirects.Increment();
            return null;
        }

        // 3. A route there, that the predicates have nothing against. It is matched by the method that the request had.
        var next = Copy(request, target, content);
        CopyHeaders(policy, response, next);
        if (await HostOfAsync(input.Host, attempt.Decision, target, cancellationToken).ConfigureAwait(false) is not { } nextHost
            || RouteOf(nextHost, next, input.Pick.Draw) is not { } route)
        {
            Stats.NoRoute.Increment();
            return null;
        }

        if (!Accepts(policy, attempt.Decision.Route!, route, history, isHttps, toHttps))
        {
            Stats.Predicate.Increment();
            return null;
        }

        // 4. RFC 9110, section 15.4.4: see other is seen by GET.
        if (response.StatusCode == HttpStatusCode.SeeOther && request.Method != HttpMethod.Get && request.Method != HttpMethod.Head)
        {
            next.Method = HttpMethod.Get;
            next.Content = null;
            next.Headers.Remove("Transfer-Encoding");
        }

        next.Headers.Remove(OriginalUrl);
        next.Headers.TryAddWithoutValidation(
            OriginalUrl, $"{(isHttps ? "https" : "http")}://{RequestTarget.AuthorityOf(request)}{request.RequestUri.PathAndQuery}");
        history.Count++;
        history.AttachTo(next);
        return new InternalRedirect(nextHost, next, response);
    }

    // One that can be sent only once must have gone out, and have been kept.
    private static bool TryGetBody(HttpRequestMessage request, OutgoingBody? body, out HttpContent? content)
    {
        content = body?.Inner ?? request.Content;
        if (!OutgoingBody.IsRepeatable(content))
        {
            content = body is null ? null : OutgoingBody.Share(body);
            return content is not null;
        }

        return true;
    }

    // The address as it is written: what was escaped stays escaped, and only a fragment is no server's business.
    private static Uri? Target(string location)
    {
        var colon = location.IndexOf("://", StringComparison.Ordinal);
        var scheme = colon > 0 ? location[..colon].ToLowerInvariant() : "";
        if (scheme is not ("http" or "https"))
        {
            return null;
        }

        var rest = location.AsSpan(colon + 3);
        rest = rest.IndexOf('#') is >= 0 and var fragment ? rest[..fragment] : rest;
        var end = rest.IndexOfAny('/', '?');
        var authority = (end < 0 ? rest : rest[..end]).ToString();
        var path = end < 0 ? "/" : rest[end] == '?' ? $"/{rest[end..]}" : rest[end..].ToString();
        return RequestTarget.IsAuthority(authority) && RequestTarget.Sendable(path) is { } sendable
            ? new Uri($"{scheme}://{authority}{sendable}", Verbatim)
            : null;
    }

    private static HttpRequestMessage Copy(HttpRequestMessage request, Uri target, HttpContent? content)
    {
        var next = new HttpRequestMessage(request.Method, target) { Content = content, Version = request.Version, VersionPolicy = request.VersionPolicy };
        foreach (var (name, values) in request.Headers.NonValidated)
        {
            if (!name.Equals("Host", StringComparison.OrdinalIgnoreCase))
            {
                next.Headers.TryAddWithoutValidation(name, values);
            }
        }

        foreach (var (key, value) in request.Options)
        {
            next.Options.Set(new HttpRequestOptionsKey<object?>(key), value);
        }

        RequestOutcome.Forget(next);
        return next;
    }

    private static void CopyHeaders(InternalRedirectPolicy policy, HttpResponseMessage response, HttpRequestMessage next)
    {
        foreach (var name in policy.HeadersToCopy)
        {
            next.Headers.Remove(name.Value);
            if (response.Headers.NonValidated.TryGetValues(name.Value, out var values))
            {
                next.Headers.TryAddWithoutValidation(name.Value, values);
            }
        }
    }

    // The routes that the request itself came by know the address, or else the mesh does.
    private async ValueTask<HostEntry?> HostOfAsync(HostEntry host, Decision decision, Uri target, CancellationToken cancellationToken)
    {
        var key = new HostKey(target.IdnHost.Length > 1 && target.IdnHost[^1] == '.' ? target.IdnHost[..^1] : target.IdnHost, target.Port);
        if (key.Equals(host.Key))
        {
            return host;
        }

        var sameTable = new HostEntry(key, host.IsMeshName);
        if (decision.Host.Table?.VirtualHosts.Find(sameTable.Authority) is { } virtualHost)
        {
            sameTable.Publish(decision.Host with { VirtualHost = virtualHost });
            return sameTable;
        }

        var found = hosts.Find(key.Host, key.Port) ?? await hosts.ResolveAsync(key.Host, key.Port, cancellationToken).ConfigureAwait(false);
        return found is { State.Status: HostStatus.Meshed } ? found : null;
    }

    private RouteEntry? RouteOf(HostEntry host, HttpRequestMessage next, ulong draw)
    {
        var uri = next.RequestUri!;
        return decisions.Route(
            host.State,
            new RequestView(uri.PathAndQuery, next.Method.Method, host.Authority, uri.Scheme, HttpRequestHeaderReader.Instance, next),
            draw).Route;
    }

    private static bool Accepts(InternalRedirectPolicy policy, RouteEntry from, RouteEntry to, InternalRedirectHistory history, bool isHttps, bool toHttps)
    {
        if (policy.RefusesPreviousRoutes && !history.TryAdd(from.Name, to.Name))
        {
            return false;
        }

        foreach (var allowed in policy.AllowedRoutes)
        {
            if (!allowed.Contains(to.Name))
            {
                return false;
            }
        }

        return !policy.RefusesToHttps || isHttps || !toHttps;
    }
}
