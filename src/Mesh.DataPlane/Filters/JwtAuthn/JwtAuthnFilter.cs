using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Upstream;
using Mesh.Filters;
using Mesh.Xds.Jwt;

namespace Mesh.DataPlane.Filters.JwtAuthn;

/// <summary>Lets through what brings the tokens that its rules require: 401 for the rest, 403 for a good token that is for somebody else.</summary>
/// <param name="settings">The listener's configuration.</param>
/// <param name="route">The route's; <see langword="null"/> when it has none and the rules decide.</param>
/// <param name="counters">What it counts.</param>
/// <param name="services">Time and chance.</param>
internal sealed class JwtAuthnFilter(JwtAuthnSettings settings, JwtAuthnRoute? route, JwtAuthnCounters counters, FilterServices services) : HttpFilter
{
    // As in Envoy: more than that is not told back.
    private const int MaxRealm = 256;

    /// <summary>What it decides by, for explanations.</summary>
    public JwtAuthnSettings Settings => settings;

    /// <summary>What a request has to bring; <see langword="null"/> for nothing. For explanations: no token is looked at.</summary>
    public JwtRequirement? RequirementOf(scoped in RequestView view, ulong draw)
        => route is { RequirementName: { } name } ? settings.Named.GetValueOrDefault(name) : FindRule(view, draw);

    public override async ValueTask OnRequestAsync(HttpExchange exchange, CancellationToken cancellationToken)
    {
        foreach (var provider in settings.Providers)
        {
            RemoveForged(provider, exchange);
        }

        if (settings.BypassesCorsPreflight && IsPreflight(exchange))
        {
            counters.PreflightBypassed.Increment();
            return;
        }

        JwtRequirement? requirement;
        if (route is { RequirementName: { } name })
        {
            if (!settings.Named.TryGetValue(name, out requirement))
            {
                counters.Denied.Increment();
                exchange.Reply(Told(FilterReplies.JwtRequirementUnknown(name, string.Join(',', settings.Named.Keys))).ToFilterReply());
                return;
            }
        }
        else
        {
            requirement = FindRule(exchange);
        }

        if (requirement is null)
        {
            counters.Allowed.Increment();
            return;
        }

        var status = await requirement.VerifyAsync(new JwtAuthenticator(exchange, counters, services), cancellationToken).ConfigureAwait(false);
        (status.IsOk ? counters.Allowed : counters.Denied).Increment();
        if (!status.IsOk)
        {
            exchange.Reply(ReplyTo(status, exchange).ToFilterReply());
        }
    }

    private static void RemoveForged(JwtProviderSettings provider, HttpExchange exchange)
    {
        if (provider.PayloadHeader.Length > 0)
        {
            exchange.RequestHeaders.Remove(provider.PayloadHeader);
        }

        foreach (var (header, _) in provider.ClaimHeaders)
        {
            exchange.RequestHeaders.Remove(header);
        }
    }

    private static bool IsPreflight(HttpExchange exchange)
        => exchange.Method == "OPTIONS"
            && exchange.RequestHeaders["origin"] is { Length: > 0 }
            && exchange.RequestHeaders["access-control-request-method"] is { Length: > 0 };

    // The query is left out: it may be where the token stands.
    private static string Realm(HttpExchange exchange)
    {
        var path = exchange.Path;
        var query = path.IndexOf('?');
        var realm = $"{exchange.Scheme}://{exchange.Authority}{(query < 0 ? path : path[..query])}".Replace("\"", "%22", StringComparison.Ordinal).Replace("\\", "%5C", StringComparison.Ordinal);
        return realm.Length <= MaxRealm ? realm : realm[..MaxRealm];
    }

    // Where the application routes by another path than the one that came, what either asks for has to be there.
    private JwtRequirement? FindRule(HttpExchange exchange)
    {
        var adapter = EngineExchange.Of(exchange);
        var draw = services.Random.NextUInt64();
        var view = adapter.View;
        var requirement = FindRule(view, draw);
        if (adapter.ApplicationPath is not { } path
            || FindRule(view.WithTarget(string.Concat(path, view.PathAndQuery[view.Path.Length..])), draw) is not { } other
            || ReferenceEquals(other, requirement))
        {
            return requirement;
        }

        return requirement is null ? other : new JwtRequirement.All([requirement, other]);
    }

    private JwtRequirement? FindRule(scoped in RequestView view, ulong draw)
    {
        foreach (var (match, requirement) in settings.Rules)
        {
            if (match.FirstMismatch(view, draw) is null)
            {
                return requirement;
            }
        }

        return null;
    }

    private LocalReply Told(LocalReply reply) => settings.StripsFailures ? reply with { Body = "", Headers = [] } : reply;

    private LocalReply ReplyTo(JwtStatus status, HttpExchange exchange)
    {
        var reply = ReferenceEquals(status, JwtStatus.AudienceNotAllowed)
            ? FilterReplies.JwtAudienceDenied(Realm(exchange))
            : FilterReplies.JwtDenied(status.Text, Realm(exchange), ReferenceEquals(status, JwtStatus.Missing));
        return Told(reply);
    }
}
