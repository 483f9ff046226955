using System.Collections.Concurrent;
using Mesh.Xds.Metrics;

namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>Counts the verdicts of one engine in the process's metrics, by Envoy's names.</summary>
internal sealed class RbacTally
{
    private const string PrefixLabel = "prefix";
    private const string PolicyLabel = "envoy_rbac_policy_name";

    private readonly CounterCell _allowed;
    private readonly CounterCell _denied;
    private readonly CounterCell? _logged;
    private readonly CounterCell? _notLogged;
    private readonly Func<string, bool, CounterCell>? _ofPolicy;
    private readonly ConcurrentDictionary<(string Policy, bool IsAllowed), CounterCell> _policies = new();

    private RbacTally(string kind, Func<string, CounterCell> cell, Func<string, bool, CounterCell>? ofPolicy)
    {
        (_allowed, _denied, _ofPolicy) = (cell(kind + "allowed"), cell(kind + "denied"), ofPolicy);

        // What shadow rules would have logged is nobody's.
        if (kind.Length == 0)
        {
            (_logged, _notLogged) = (cell("logged"), cell("not_logged"));
        }
    }

    /// <summary>Of requests.</summary>
    /// <param name="binding">Where the filter is.</param>
    /// <param name="prefix">What stands before the names of this engine's counters.</param>
    /// <param name="kind"><c>shadow_</c>, or nothing.</param>
    /// <param name="tracksPolicies">Whether each policy is counted by itself.</param>
    public static RbacTally OfRequests(in FilterBinding binding, string prefix, string kind, bool tracksPolicies)
    {
        var (registry, statPrefix) = (binding.Services.Metrics, binding.StatPrefix);
        return new RbacTally(
            kind,
            verdict => registry.Counter("envoy_http_rbac_" + verdict, "Verdicts of authorization on requests.", FilterCounters.Label, PrefixLabel).Cell(statPrefix, prefix),
            !tracksPolicies ? null : (policy, isAllowed) => registry
                .Counter($"envoy_http_rbac_policy_{kind}{(isAllowed ? "allowed" : "denied")}", "Verdicts of single policies on requests.", FilterCounters.Label, PrefixLabel, PolicyLabel)
                .Cell(statPrefix, prefix, policy));
    }

    /// <summary>Of connections, whose filter has a prefix of its own: Istio's is <c>tcp.</c>.</summary>
    /// <param name="services">Where they are counted.</param>
    /// <param name="scope">What stands before the names of all counters.</param>
    /// <param name="prefix">What stands before the names of this engine's.</param>
    /// <param name="kind"><c>shadow_</c>, or nothing.</param>
    public static RbacTally OfConnections(FilterServices services, string scope, string prefix, string kind)
        => new(
            kind,
            verdict => services.Metrics.Counter("envoy_tcp_rbac_" + verdict, "Verdicts of authorization on connections.", PrefixLabel).Cell((scope == "tcp." ? "" : scope) + prefix),
            ofPolicy: null);

    public void Add(in RbacVerdict verdict)
    {
        (verdict.IsAllowed ? _allowed : _denied).Increment();
        if (verdict.IsLogged is { } logged)
        {
            (logged ? _logged : _notLogged)?.Increment();
        }

        if (_ofPolicy is not null && verdict.Policy is { } policy)
        {
            _policies.GetOrAdd((policy, verdict.IsAllowed), static (key, ofPolicy) => ofPolicy(key.Policy, key.IsAllowed), _ofPolicy).Increment();
        }
    }
}
