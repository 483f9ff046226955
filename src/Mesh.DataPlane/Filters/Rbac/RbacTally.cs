using System.Collections.Concurrent;

namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>Counts the verdicts of one engine.</summary>
/// <param name="statistics">Where the counters are kept.</param>
/// <param name="scope">What stands before the names of all counters: a connection's filter has a prefix of its own.</param>
/// <param name="prefix">What stands before the names of this engine's.</param>
/// <param name="kind"><c>shadow_</c>, or nothing.</param>
/// <param name="tracksPolicies">Whether each policy is counted by itself.</param>
internal sealed class RbacTally(RbacStatistics statistics, string scope, string prefix, string kind, bool tracksPolicies)
{
    private readonly RbacCounter _allowed = statistics.Counter($"{scope}rbac.{prefix}{kind}allowed");
    private readonly RbacCounter _denied = statistics.Counter($"{scope}rbac.{prefix}{kind}denied");
    private readonly RbacCounter _logged = statistics.Counter($"{scope}rbac.{prefix}logged");
    private readonly RbacCounter _notLogged = statistics.Counter($"{scope}rbac.{prefix}not_logged");
    private readonly ConcurrentDictionary<(string Policy, bool IsAllowed), RbacCounter> _policies = new();

    public void Add(in RbacVerdict verdict)
    {
        (verdict.IsAllowed ? _allowed : _denied).Add();
        if (kind.Length == 0 && verdict.IsLogged is { } logged)
        {
            (logged ? _logged : _notLogged).Add();
        }

        if (tracksPolicies && verdict.Policy is { } policy)
        {
            var key = (policy, verdict.IsAllowed);
            if (!_policies.TryGetValue(key, out var counter))
            {
                counter = _policies.GetOrAdd(key, statistics.Counter($"{scope}rbac.policy.{prefix}{policy}.{kind}{(verdict.IsAllowed ? "allowed" : "denied")}"));
            }

            counter.Add();
        }
    }
}
