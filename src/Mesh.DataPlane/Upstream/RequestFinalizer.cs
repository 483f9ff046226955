using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Headers;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Rewriting;

namespace Mesh.DataPlane.Upstream;

/// <summary>
/// Makes of the caller's message what the route wants to be sent: headers first, weighted cluster before the levels of the route, then the host, then
/// the path, as Envoy's <c>finalizeRequestHeaders</c> does. What would break a request line or a header is never sent.
/// </summary>
internal static class RequestFinalizer
{
    private static readonly HeaderName OriginalPath = new("x-envoy-original-path");
    private static readonly HeaderName OriginalHost = new("x-envoy-original-host");
    private static readonly HeaderName ForwardedHost = new("x-forwarded-host");

    /// <summary>Whether the route changes its requests at all; most do not, and pay for no more than this.</summary>
    public static bool Applies(in Decision routed)
        => routed.Route is { Policy: { RequestHeaders: not null } or { Rewrite: not null } } || routed.Choice is { RequestHeaders: not null } or { HostRewrite: not null };

    /// <summary>Once for each request, before its first attempt.</summary>
    /// <param name="routed">Route and cluster.</param>
    /// <param name="edit">Changes the message, and gives it back afterwards.</param>
    /// <param name="time">What <c>%START_TIME%</c> reads.</param>
    /// <param name="suppressEnvoyHeaders">The router's <c>suppress_envoy_headers</c>.</param>
    /// <returns>Why the request must not be sent; <see langword="null"/> when it may.</returns>
    public static LocalReply? Apply(in Decision routed, RequestEdit edit, TimeProvider time, bool suppressEnvoyHeaders = false)
    {
        var policy = routed.Route!.Policy;

        // 1. Headers, each level from what the one before has left.
        if (routed.Choice is { } choice)
        {
            if (choice.RequestHeaders is { } ownHeaders && ownHeaders.Apply(edit, Context(routed, edit, time)) is { } refused)
            {
                return LocalReply.InvalidRequest($"the header {refused}");
            }

            if (choice.HostRewrite is { } ownHost)
            {
                edit.SetAuthority(ownHost);
            }
        }

        foreach (var level in policy.RequestHeaders ?? [])
        {
            if (level.Apply(edit, Context(routed, edit, time)) is { } refused)
            {
                return LocalReply.InvalidRequest($"the header {refused}");
            }
        }

        if (policy.Rewrite is not { } rewrite)
        {
            return null;
        }

        // 2. The host.
        var context = Context(routed, edit, time);
        if (rewrite.Host is { } host && host != HostRewrite.OfEndpoint && host.Rewrite(context) is { Length: > 0 } authority)
        {
            if (!RequestTarget.IsAuthority(authority))
            {
                return LocalReply.InvalidRequest("the host");
            }

            SetAuthority(edit, authority, context.Authority!, rewrite, suppressEnvoyHeaders);
        }

        // 3. The path.
        if (rewrite.Path?.Rewrite(context.PathAndQuery!, routed.Route.Match.Path, context) is { } target)
        {
            if (RequestTarget.Sendable(target) is not { } sendable)
            {
                return LocalReply.InvalidRequest("the path");
            }

            if (!suppressEnvoyHeaders)
            {
                edit.Set(OriginalPath, context.PathAndQuery!);
            }

            if (sendable != context.PathAndQuery)
            {
                edit.SetTarget(sendable);
            }
        }

        return null;
    }

    /// <summary>For each attempt whose endpoint has been picked: <c>auto_host_rewrite</c>.</summary>
    public static void ApplyEndpoint(in Decision picked, RequestEdit edit, TimeProvider time, bool suppressEnvoyHeaders = false)
    {
        if (picked.Route!.Policy.Rewrite is { } rewrite && rewrite.Host == HostRewrite.OfEndpoint)
        {
            var context = Context(picked, edit, time);
            if (rewrite.Host.Rewrite(context) is { } authority && RequestTarget.IsAuthority(authority) && authority != context.Authority)
            {
                SetAuthority(edit, authority, edit.Authority, rewrite, suppressEnvoyHeaders);
            }
        }
    }

    private static void SetAuthority(RequestEdit edit, string authority, string replaced, Rewrite rewrite, bool suppressEnvoyHeaders)
    {
        // Not twice in a row: attempts and the sidecar next door would add the same again.
        if (rewrite.AppendForwardedHost && edit.Last(ForwardedHost) != replaced)
        {
            edit.Join(ForwardedHost, replaced);
        }

        if (!suppressEnvoyHeaders)
        {
            edit.Set(OriginalHost, replaced);
        }

        edit.SetAuthority(authority);
    }

    private static FormatContext Context(in Decision decision, RequestEdit edit, TimeProvider time)
        => FormatContexts.Of(decision, edit.Request, RequestTarget.AuthorityOf(edit.Request), time);
}
