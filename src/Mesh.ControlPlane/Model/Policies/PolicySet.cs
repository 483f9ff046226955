using Google.Protobuf;

namespace Mesh.ControlPlane.Model.Policies;

/// <summary>The policies of one kind by namespace, the oldest first; immutable. A namespace's list stays the same object as long as none of its policies changes.</summary>
internal sealed class PolicySet<T>
    where T : IMessage
{
    private readonly Dictionary<string, IReadOnlyList<PolicyRule<T>>> _byNamespace;

    private PolicySet(Dictionary<string, IReadOnlyList<PolicyRule<T>>> byNamespace) => _byNamespace = byNamespace;

    public static PolicySet<T> Empty { get; } = new([]);

    public IEnumerable<PolicyRule<T>> All => _byNamespace.Values.SelectMany(rules => rules);

    /// <summary>The policies that are written in a namespace.</summary>
    public IReadOnlyList<PolicyRule<T>> Of(string @namespace) => _byNamespace.GetValueOrDefault(@namespace, []);

    /// <summary>The namespaces whose policies are other ones than in another set.</summary>
    public IReadOnlySet<string> NamespacesOtherThan(PolicySet<T> other)
        => _byNamespace.Keys.Union(other._byNamespace.Keys).Where(name => !ReferenceEquals(Of(name), other.Of(name))).ToHashSet(StringComparer.Ordinal);

    /// <summary>The next set; this one when nothing has changed.</summary>
    public PolicySet<T> With(IEnumerable<PolicyRule<T>> rules)
    {
        var next = new Dictionary<string, IReadOnlyList<PolicyRule<T>>>(StringComparer.Ordinal);
        var isSame = true;
        foreach (var group in rules.GroupBy(rule => rule.Namespace, StringComparer.Ordinal))
        {
            PolicyRule<T>[] sorted = [.. group.OrderBy(rule => rule.Source, OldestFirst.Instance)];
            var before = Of(group.Key);
            var unchanged = before.SequenceEqual(sorted);
            isSame &= unchanged;
            next[group.Key] = unchanged ? before : sorted;
        }

        return isSame && next.Count == _byNamespace.Count ? this : new PolicySet<T>(next);
    }
}
