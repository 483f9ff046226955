using Mesh.DataPlane.Inbound;

namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>Lets in the connections that the rules allow (Envoy's <c>envoy.filters.network.rbac</c>).</summary>
/// <param name="name">Its name in the chain.</param>
/// <param name="rules">Who may connect; <see langword="null"/> for everybody.</param>
/// <param name="shadowRules">Who might; that is counted and nothing else; <see langword="null"/> when nothing is.</param>
/// <param name="prefix">Stands before the names of its counters.</param>
/// <param name="shadowPrefix">Stands before the names of the counters of <paramref name="shadowRules"/>.</param>
/// <param name="delay">How long a connection is held that is refused.</param>
internal sealed class NetworkRbacFilter(string name, RbacEngine? rules, RbacEngine? shadowRules, string prefix, string shadowPrefix, TimeSpan delay) : NetworkFilter(name)
{
    /// <summary>The namespace in which it leaves what its shadow rules would have decided.</summary>
    public const string MetadataNamespace = "envoy.filters.network.rbac";

    private RbacTally? _tally;
    private RbacTally? _shadowTally;

    /// <summary>Who may connect, for explanations.</summary>
    public RbacEngine? Rules => rules;

    public override TimeSpan RefusalDelay { get; } = delay;

    public override bool Admits(ConnectionFacts connection) => rules?.Decide(new RbacRequest(connection)).IsAllowed ?? true;

    public override ValueTask<bool> JudgeAsync(ConnectionFacts connection, ConnectionMetadata metadata, FilterServices services, CancellationToken cancellationToken)
        => new(Judge(connection, metadata, services));

    private bool Judge(ConnectionFacts connection, ConnectionMetadata metadata, FilterServices services)
    {
        var request = new RbacRequest(connection);
        if (shadowRules is not null)
        {
            _shadowTally ??= RbacTally.OfConnections(services, prefix, shadowPrefix, "shadow_");
            var told = shadowRules.Decide(request);
            _shadowTally.Add(told);
            var left = metadata.Of(MetadataNamespace);
            left[shadowPrefix + "shadow_engine_result"] = told.IsAllowed ? "allowed" : "denied";
            if (told.Policy is { } matched)
            {
                left[shadowPrefix + "shadow_effective_policy_id"] = matched;
            }
        }

        if (rules is null)
        {
            return true;
        }

        var verdict = rules.Decide(request);
        _tally ??= RbacTally.OfConnections(services, prefix, "", "");
        _tally.Add(verdict);
        rules.Audit?.Tell(Name, verdict, request, services);
        if (!verdict.IsAllowed)
        {
            var policy = verdict.Policy ?? "none";
            metadata.Details = FilterReplies.AccessDeniedBy(policy);
            services.Denials.Connection(policy, connection);
        }

        return verdict.IsAllowed;
    }
}
