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
    private RbacTally? _tally;
    private RbacTally? _shadowTally;

    public override TimeSpan RefusalDelay { get; } = delay;

    public override bool Admits(ConnectionFacts connection) => rules?.Decide(new RbacRequest(connection)).IsAllowed ?? true;

    public override bool Judge(ConnectionFacts connection, FilterServices services)
    {
        var request = new RbacRequest(connection);
        if (shadowRules is not null)
        {
            _shadowTally ??= new RbacTally(services.Rbac, prefix, shadowPrefix, "shadow_", tracksPolicies: false);
            _shadowTally.Add(shadowRules.Decide(request));
        }

        if (rules is null)
        {
            return true;
        }

        var verdict = rules.Decide(request);
        _tally ??= new RbacTally(services.Rbac, prefix, "", "", tracksPolicies: false);
        _tally.Add(verdict);
        if (!verdict.IsAllowed)
        {
            services.Denials.Connection(verdict.Policy ?? "none", connection);
        }

        return verdict.IsAllowed;
    }
}
