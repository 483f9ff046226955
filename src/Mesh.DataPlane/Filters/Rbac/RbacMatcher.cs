namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>
/// Decisions by a matcher (<c>xds.type.matcher.v3.Matcher</c>), which names an action; what it does not match is denied. A request may be read in two ways
/// where headers are concerned, and passes if it does in both.
/// </summary>
/// <param name="strict">The matcher for which every reading has to match.</param>
/// <param name="lenient">The same, for which one will do.</param>
internal sealed class RbacMatcher(RbacMatcherList strict, RbacMatcherList lenient) : RbacEngine
{
    public override RbacVerdict Decide(scoped in RbacRequest request) => RbacVerdict.Of(Of(strict.Find(request)), Of(lenient.Find(request)));

    private static RbacVerdict Of(RbacMatcherAction? found)
        => found is null ? new RbacVerdict(false, null)
            : found.Action == RbacAction.Log ? new RbacVerdict(true, found.Name, true)
            : new RbacVerdict(found.Action == RbacAction.Allow, found.Name);
}

/// <summary>What a matcher says about a request (<c>envoy.config.rbac.v3.Action</c>).</summary>
/// <param name="Name">The name by which it is told of.</param>
/// <param name="Action">What is done.</param>
internal sealed record RbacMatcherAction(string Name, RbacAction Action);

/// <summary>What is asked in turn. The first predicate that holds decides, by itself or by what it leads to.</summary>
/// <param name="matchers">The predicates, each with where it leads.</param>
/// <param name="otherwise">Where it leads when none holds; <see langword="null"/> for nowhere.</param>
internal sealed class RbacMatcherList((RbacRule Predicate, RbacMatcherOutcome Outcome)[] matchers, RbacMatcherOutcome? otherwise)
{
    public RbacMatcherAction? Find(scoped in RbacRequest request)
    {
        foreach (var (predicate, outcome) in matchers)
        {
            if (predicate.IsMatch(request))
            {
                // What a nested matcher leaves open stays so: nothing after it, and nothing around it, is asked.
                return outcome.Of(request);
            }
        }

        return otherwise?.Of(request);
    }
}

/// <summary>Where a match leads: to an action, or to more questions.</summary>
internal sealed record RbacMatcherOutcome(RbacMatcherAction? Action, RbacMatcherList? Nested)
{
    public RbacMatcherAction? Of(scoped in RbacRequest request) => Nested is null ? Action : Nested.Find(request);
}
