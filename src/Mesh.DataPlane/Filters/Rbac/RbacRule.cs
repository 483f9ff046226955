namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>
/// A permission or a principal, compiled. Where a request can be read in two ways (a header that was sent twice, a host's name in capitals), a rule is
/// compiled for the side of caution: what forbids matches if any reading does, what allows only if each does, and behind a <c>not</c> it is the other way
/// round.
/// </summary>
internal abstract class RbacRule
{
    public abstract bool IsMatch(scoped in RbacRequest request);

    /// <summary>
    /// What a request must have one of for the rule to match, chosen so that few policies share it; <see langword="null"/> when nothing can be said.
    /// </summary>
    public virtual RbacKeySet? Keys(RbacKeyCosts costs) => null;

    /// <summary>Tells every key that the rule could be found by, for their costs to be known.</summary>
    public virtual void AddKeys(RbacKeyCosts costs)
    {
    }

    /// <summary>Always.</summary>
    internal sealed class Anything : RbacRule
    {
        public override bool IsMatch(scoped in RbacRequest request) => true;
    }

    internal sealed class All(RbacRule[] rules) : RbacRule
    {
        public override bool IsMatch(scoped in RbacRequest request)
        {
            foreach (var rule in rules)
            {
                if (!rule.IsMatch(request))
                {
                    return false;
                }
            }

            return true;
        }

        public override RbacKeySet? Keys(RbacKeyCosts costs) => RbacKeySet.Cheapest(rules.Select(r => r.Keys(costs)));

        public override void AddKeys(RbacKeyCosts costs)
        {
            foreach (var rule in rules)
            {
                rule.AddKeys(costs);
            }
        }
    }

    internal sealed class Any(RbacRule[] rules) : RbacRule
    {
        public override bool IsMatch(scoped in RbacRequest request)
        {
            foreach (var rule in rules)
            {
                if (rule.IsMatch(request))
                {
                    return true;
                }
            }

            return false;
        }

        public override RbacKeySet? Keys(RbacKeyCosts costs) => RbacKeySet.Union(rules.Select(r => r.Keys(costs)));

        public override void AddKeys(RbacKeyCosts costs)
        {
            foreach (var rule in rules)
            {
                rule.AddKeys(costs);
            }
        }
    }

    internal sealed class Not(RbacRule rule) : RbacRule
    {
        public override bool IsMatch(scoped in RbacRequest request) => !rule.IsMatch(request);
    }
}
