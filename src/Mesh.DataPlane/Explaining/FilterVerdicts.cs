using System.Globalization;
using System.Text.Json.Nodes;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Filters.ExtAuthz;
using Mesh.DataPlane.Filters.JwtAuthn;
using Mesh.DataPlane.Filters.Rbac;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Inbound.Http;
using Mesh.Filters;

namespace Mesh.DataPlane.Explaining;

/// <summary>What the filters of a listener would say to a request that comes in.</summary>
/// <param name="exchange">The request.</param>
/// <param name="claims">The claims of the token that it brings; <see langword="null"/> for none.</param>
internal sealed class FilterVerdicts(InboundExchange exchange, JsonObject? claims)
{
    public const string Allowed = "allowed";
    public const string Denied = "denied";
    public const string Asks = "asks";

    private const string InForce = "in force";
    private const string OffHere = "off here";
    private const string NotAsked = "not asked";

    // Policies of a mesh that forbids by default are many; those that match are told first.
    private const int MaxPolicies = 200;

    public List<FilterVerdict> Of(IReadOnlyList<ListenerFilter> listener, FilterChain? chain)
    {
        var verdicts = new List<FilterVerdict>();
        var isDenied = false;
        for (var i = 0; i < listener.Count; i++)
        {
            var (name, kind) = (listener[i].Name, listener[i].Type.ConfigType);
            var verdict = isDenied ? new FilterVerdict(name, kind, NotAsked, "")
                : chain?.Filters[i] is not { } filter ? new FilterVerdict(name, kind, OffHere, "it has nothing to do on this route")
                : Of(name, kind, filter);
            isDenied |= verdict.Verdict == Denied;
            verdicts.Add(verdict);
        }

        return verdicts;
    }

    /// <summary>Why a filter of connections lets one pass, or not.</summary>
    public static string ReasonOf(NetworkFilter filter, ConnectionFacts facts)
        => filter is NetworkRbacFilter { Rules: RbacPolicies rules } ? ReasonOf(rules, rules.Decide(new RbacRequest(facts)))
            : filter.Clusters.Any() ? "it asks an authorizer, who is not asked here" : "";

    /// <inheritdoc cref="ReasonOf(NetworkFilter, ConnectionFacts)"/>
    public static IReadOnlyList<PolicyVerdict> PoliciesOf(NetworkFilter filter, ConnectionFacts facts)
        => filter is NetworkRbacFilter { Rules: RbacPolicies rules } ? PoliciesOf(rules, new RbacRequest(facts), isShadow: false) : [];

    private FilterVerdict Of(string name, string kind, HttpFilter filter)
        => filter switch
        {
            RbacFilter rbac => OfRbac(name, kind, rbac.Settings),
            JwtAuthnFilter jwt => OfJwt(name, kind, jwt),
            ExtAuthzFilter => new FilterVerdict(name, kind, Asks, "it asks an authorizer, who is not asked here"),
            _ => new FilterVerdict(name, kind, InForce, filter.ToString() is { } words && words != filter.GetType().ToString() ? words : ""),
        };

    private FilterVerdict OfRbac(string name, string kind, RbacSettings settings)
    {
        var request = new RbacRequest(exchange.View, exchange.Connection, exchange.RemoteAddress, exchange.Exchange);
        var policies = new List<PolicyVerdict>();
        if (settings.ShadowRules is RbacPolicies shadow)
        {
            policies.AddRange(PoliciesOf(shadow, request, isShadow: true));
        }

        if (settings.Rules is not RbacPolicies rules)
        {
            return new FilterVerdict(name, kind, Allowed, "it only tells what its rules would say") { Policies = policies };
        }

        var verdict = rules.Decide(request);
        policies.InsertRange(0, PoliciesOf(rules, request, isShadow: false));
        return new FilterVerdict(name, kind, verdict.IsAllowed ? Allowed : Denied, ReasonOf(rules, verdict)) { Policies = policies };
    }

    private FilterVerdict OfJwt(string name, string kind, JwtAuthnFilter filter)
    {
        var requirement = filter.RequirementOf(exchange.View, exchange.Draw);
        if (requirement is null)
        {
            return new FilterVerdict(name, kind, Allowed, "no rule asks this request for a token");
        }

        var issuer = claims is null ? null : Text(claims["iss"]) ?? "";
        if (!requirement.IsMetBy(issuer, Audiences()))
        {
            return new FilterVerdict(name, kind, Denied, $"it asks for {requirement}{(claims is null ? ", and there is none" : ", and this one is another")}");
        }

        if (claims is not null)
        {
            TellClaims(filter.Settings, issuer!);
        }

        return new FilterVerdict(name, kind, Allowed, $"it asks for {requirement}");
    }

    // As a good token does: what comes behind judges by the claims.
    private void TellClaims(JwtAuthnSettings settings, string issuer)
    {
        foreach (var provider in settings.Providers.Where(p => p.PayloadMetadata.Length > 0 && (p.Issuer.Length == 0 || p.Issuer == issuer)))
        {
            var payload = (JsonObject)claims!.DeepClone();
            foreach (var claim in provider.SpaceDelimitedClaims)
            {
                if (Text(payload[claim]) is { } words)
                {
                    payload[claim] = new JsonArray([.. words.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(w => (JsonNode)w)]);
                }
            }

            if (!exchange.Exchange.Metadata.TryGetValue(JwtAuthenticator.MetadataNamespace, out var metadata))
            {
                exchange.Exchange.Metadata[JwtAuthenticator.MetadataNamespace] = metadata = [];
            }

            metadata[provider.PayloadMetadata] = payload;
        }
    }

    private IReadOnlyList<string> Audiences()
        => claims?["aud"] switch
        {
            JsonArray several => [.. several.Select(Text).OfType<string>()],
            { } one when Text(one) is { } audience => [audience],
            _ => [],
        };

    private static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    private static List<PolicyVerdict> PoliciesOf(RbacPolicies rules, scoped in RbacRequest request, bool isShadow)
    {
        var verdicts = new List<PolicyVerdict>();
        foreach (var policy in rules.All)
        {
            var (operation, source) = (policy.Permissions.IsMatch(request), policy.Principals.IsMatch(request));
            verdicts.Add(new PolicyVerdict(policy.Name, SourceOf(policy.Name), rules.Action.ToString().ToUpperInvariant(), isShadow, operation && source, operation, source));
        }

        return [.. verdicts.OrderByDescending(v => v.Matches).Take(MaxPolicies)];
    }

    private static string ReasonOf(RbacPolicies rules, in RbacVerdict verdict)
        => (rules.Action, verdict.Policy) switch
        {
            (RbacAction.Allow, { } policy) => $"{SourceOf(policy) ?? policy} allows it",
            (RbacAction.Allow, null) => "no ALLOW policy is for it",
            (RbacAction.Deny, { } policy) => $"{SourceOf(policy) ?? policy} forbids it",
            (RbacAction.Deny, null) => "no DENY policy is for it",
            (_, { } policy) => $"{SourceOf(policy) ?? policy} has it logged",
            _ => "no policy has it logged",
        };

    // Istio's names: ns[default]-policy[reviews-viewer]-rule[0].
    private static string? SourceOf(string policy)
    {
        var ns = Between(policy, "ns[");
        var name = Between(policy, "-policy[");
        var rule = Between(policy, "-rule[");
        return ns is null || name is null || rule is null ? null
            : string.Create(CultureInfo.InvariantCulture, $"AuthorizationPolicy {name} in {ns}, rule {rule}");
    }

    private static string? Between(string text, string opening)
        => text.IndexOf(opening, StringComparison.Ordinal) is >= 0 and var start && text.IndexOf(']', start + opening.Length) is >= 0 and var end
            ? text[(start + opening.Length)..end]
            : null;
}
