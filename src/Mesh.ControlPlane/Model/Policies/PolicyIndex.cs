using Istio.Security.V1Beta1;
using Mode = Istio.Security.V1Beta1.PeerAuthentication.Types.MutualTLS.Types.Mode;

namespace Mesh.ControlPlane.Model.Policies;

/// <summary>The security policies of the mesh; immutable, and the same object as long as none of them changes.</summary>
internal sealed class PolicyIndex
{
    private readonly string _rootNamespace;

    private PolicyIndex(
        string rootNamespace, PolicySet<PeerAuthentication> peers, PolicySet<RequestAuthentication> requests, PolicySet<AuthorizationPolicy> authorizations)
    {
        _rootNamespace = rootNamespace;
        PeerAuthentications = peers;
        RequestAuthentications = requests;
        AuthorizationPolicies = authorizations;
    }

    public PolicySet<PeerAuthentication> PeerAuthentications { get; }

    public PolicySet<RequestAuthentication> RequestAuthentications { get; }

    public PolicySet<AuthorizationPolicy> AuthorizationPolicies { get; }

    /// <param name="rootNamespace">The namespace whose policies are for workloads everywhere.</param>
    public static PolicyIndex Empty(string rootNamespace)
        => new(rootNamespace, PolicySet<PeerAuthentication>.Empty, PolicySet<RequestAuthentication>.Empty, PolicySet<AuthorizationPolicy>.Empty);

    /// <summary>The next index; this one when nothing has changed.</summary>
    public PolicyIndex With(
        IEnumerable<PolicyRule<PeerAuthentication>> peers, IEnumerable<PolicyRule<RequestAuthentication>> requests, IEnumerable<PolicyRule<AuthorizationPolicy>> authorizations)
    {
        var (peerSet, requestSet, authorizationSet) = (PeerAuthentications.With(peers), RequestAuthentications.With(requests), AuthorizationPolicies.With(authorizations));
        return ReferenceEquals(peerSet, PeerAuthentications) && ReferenceEquals(requestSet, RequestAuthentications) && ReferenceEquals(authorizationSet, AuthorizationPolicies)
            ? this
            : new PolicyIndex(_rootNamespace, peerSet, requestSet, authorizationSet);
    }

    /// <summary>What a workload is under.</summary>
    public WorkloadPolicies Of(string @namespace, IReadOnlyDictionary<string, string> labels)
    {
        var isRoot = @namespace == _rootNamespace;
        return new WorkloadPolicies(
            [.. Both(AuthorizationPolicies.Of(_rootNamespace), AuthorizationPolicies.Of(@namespace)).Where(policy => policy.IsFor(@namespace, labels))],
            [.. Both(RequestAuthentications.Of(@namespace), RequestAuthentications.Of(_rootNamespace)).Where(policy => policy.IsFor(@namespace, labels))],
            PeersOf(@namespace, labels));

        IEnumerable<PolicyRule<T>> Both<T>(IReadOnlyList<PolicyRule<T>> first, IReadOnlyList<PolicyRule<T>> second)
            where T : Google.Protobuf.IMessage
            => isRoot ? first : first.Concat(second);
    }

    /// <summary>The PeerAuthentications that count for a workload: mesh, namespace, workload, each the oldest of its level.</summary>
    /// <remarks>One of the root namespace with a selector is none of them, as in Istio.</remarks>
    public IReadOnlyList<PolicyRule<PeerAuthentication>> PeersOf(string @namespace, IReadOnlyDictionary<string, string> labels)
    {
        var mesh = PeerAuthentications.Of(_rootNamespace).FirstOrDefault(policy => policy.Selector is null);
        if (@namespace == _rootNamespace)
        {
            return mesh is null ? [] : [mesh];
        }

        var own = PeerAuthentications.Of(@namespace);
        return [.. new[] { mesh, own.FirstOrDefault(policy => policy.Selector is null), own.FirstOrDefault(policy => policy.Selector is not null && policy.Selects(labels)) }
            .OfType<PolicyRule<PeerAuthentication>>()];
    }

    /// <summary>What a namespace says of mutual TLS where nothing is said of a workload; clients know no more of a service.</summary>
    public Mode ModeOf(string @namespace) => MutualTlsModes.Of(PeersOf(@namespace, new Dictionary<string, string>()).Where(policy => policy.Selector is null)).Mode;
}
