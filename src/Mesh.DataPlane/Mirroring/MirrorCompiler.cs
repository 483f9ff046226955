using Envoy.Config.Common.MutationRules.V3;
using Google.Protobuf.Collections;
using Mesh.DataPlane.Headers;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Rewriting;
using Mesh.Xds.Client;
using Action = Envoy.Config.Common.MutationRules.V3.HeaderMutation.ActionOneofCase;
using RequestMirrorPolicy = Envoy.Config.Route.V3.RouteAction.Types.RequestMirrorPolicy;

namespace Mesh.DataPlane.Mirroring;

/// <summary>Compiles mirror policies. Those of the route replace those of the virtual host, which replace those of the route configuration.</summary>
internal static class MirrorCompiler
{
    /// <returns><see langword="null"/> when there is none.</returns>
    public static MirrorPolicy[]? Compile(RepeatedField<RequestMirrorPolicy> policies, string path, ICollection<string> notes)
        => policies.Count == 0 ? null : [.. policies.Select((p, i) => Compile(p, $"{path}.request_mirror_policies[{i}]".TrimStart('.'), notes))];

    private static MirrorPolicy Compile(RequestMirrorPolicy policy, string path, ICollection<string> notes)
    {
        if (policy.Cluster.Length > 0 == policy.ClusterHeader.Length > 0)
        {
            throw new ResourceRejectedException(path, "exactly one of cluster and cluster_header must be set");
        }

        if (policy.ClusterHeader.Length > 0 && !HeaderName.IsValid(policy.ClusterHeader))
        {
            throw new ResourceRejectedException(path + ".cluster_header", "is no header name");
        }

        return new MirrorPolicy(
            policy.Cluster.Length > 0 ? policy.Cluster : null,
            policy.ClusterHeader.Length > 0 ? new HeaderName(policy.ClusterHeader) : null,
            policy.RuntimeFraction is { } fraction ? MatcherCompiler.Fraction(fraction.DefaultValue ?? new(), path + ".runtime_fraction.default_value") : null,
            policy.HostRewriteLiteral.Length > 0 ? RewriteCompiler.Authority(policy.HostRewriteLiteral, path + ".host_rewrite_literal") : null,
            !policy.DisableShadowHostSuffixAppend,
            policy.TraceSampled ?? true,
            [.. policy.RequestHeadersMutations.Select((m, i) => Header(m, $"{path}.request_headers_mutations[{i}]", notes))]);
    }

    private static MirrorHeader Header(HeaderMutation mutation, string path, ICollection<string> notes)
        => mutation.ActionCase switch
        {
            Action.Remove => new MirrorHeader(new HeaderMutations([HeaderMutationsCompiler.Name(mutation.Remove, path + ".remove", "removed")], []), null),
            Action.Append => new MirrorHeader(new HeaderMutations([], [HeaderMutationsCompiler.Addition(mutation.Append, path + ".append", notes)]), null),
            Action.RemoveOnMatch => new MirrorHeader(null, MatcherCompiler.String(mutation.RemoveOnMatch.KeyMatcher ?? new(), path + ".remove_on_match.key_matcher")),
            _ => throw new ResourceRejectedException(path, "one of remove, append and remove_on_match must be set"),
        };
}
