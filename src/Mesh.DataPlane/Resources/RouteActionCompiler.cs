using System.Net;
using Envoy.Config.Route.V3;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Headers;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Redirects;
using Mesh.DataPlane.Rewriting;
using Mesh.Xds.Client;
using EnvoyAction = Envoy.Config.Route.V3.Route.ActionOneofCase;
using EnvoyCluster = Envoy.Config.Route.V3.RouteAction.ClusterSpecifierOneofCase;

namespace Mesh.DataPlane.Resources;

/// <summary>Compiles where routes lead: to clusters, to the application, to another address, or nowhere because they answer themselves.</summary>
internal sealed class RouteActionCompiler(RouteFilterConfigsCompiler filters, ICollection<string> notes, bool isInbound)
{
    public RouteActionResource Compile(Route route, string path)
        => route.ActionCase switch
        {
            EnvoyAction.Route_ when isInbound => CompileApplication(route.Route_, path + ".route"),
            EnvoyAction.NonForwardingAction when isInbound => new RouteActionResource(ToApplication: true),
            EnvoyAction.Route_ => CompileForward(route.Route_, path + ".route"),
            EnvoyAction.DirectResponse => CompileResponse(route.DirectResponse, path + ".direct_response"),
            EnvoyAction.Redirect => new RouteActionResource(Redirect: RedirectCompiler.Compile(route.Redirect, path + ".redirect", notes)),
            EnvoyAction.FilterAction => Unsupported("filter_action", path),
            EnvoyAction.NonForwardingAction => Unsupported("non_forwarding_action", path),
            _ => throw new ResourceRejectedException(path, "an action must be set"),
        };

    private RouteActionResource Unsupported(string action, string path)
    {
        notes.Add($"{path}.{action} is not supported: the route answers 501");
        return new RouteActionResource(Unsupported: action);
    }

    // An inbound cluster of Istio (inbound|9080||) is the application itself; whatever else is named, this process would have to be a proxy for.
    private static RouteActionResource CompileApplication(Envoy.Config.Route.V3.RouteAction action, string path)
        => action.ClusterSpecifierCase == EnvoyCluster.Cluster && action.Cluster.StartsWith("inbound|", StringComparison.Ordinal)
            ? new RouteActionResource(ToApplication: true)
            : throw new ResourceRejectedException(
                path + ".cluster",
                action.ClusterSpecifierCase == EnvoyCluster.Cluster
                    ? $"'{action.Cluster}' is not the application's own (inbound|port||), and a server in process passes requests on to nobody else"
                    : "an inbound route leads to the application (non_forwarding_action, or a cluster inbound|port||), and to nobody else");

    private RouteActionResource CompileForward(Envoy.Config.Route.V3.RouteAction action, string path)
    {
        var notFound = action.ClusterNotFoundResponseCode switch
        {
            Envoy.Config.Route.V3.RouteAction.Types.ClusterNotFoundResponseCode.ServiceUnavailable => HttpStatusCode.ServiceUnavailable,
            Envoy.Config.Route.V3.RouteAction.Types.ClusterNotFoundResponseCode.NotFound => HttpStatusCode.NotFound,
            Envoy.Config.Route.V3.RouteAction.Types.ClusterNotFoundResponseCode.InternalServerError => HttpStatusCode.InternalServerError,
            _ => throw new ResourceRejectedException(path + ".cluster_not_found_response_code", $"{action.ClusterNotFoundResponseCode} is not a known value"),
        };

        if (action.FlushTimeout is not null)
        {
            notes.Add($"{path}.flush_timeout is not applied: idle_timeout counts for the response's body, too");
        }

        if (action.MetadataMatch is not null)
        {
            notes.Add($"{path}.metadata_match is not applied: clusters have no subsets of their own here");
        }

        if (action.UpgradeConfigs.Count > 0)
        {
            notes.Add($"{path}.upgrade_configs are not applied: every upgrade passes");
        }

        switch (action.ClusterSpecifierCase)
        {
            case EnvoyCluster.Cluster:
                return new RouteActionResource(notFound, Clusters: [new WeightedClusterResource(FieldRules.NotEmpty(action.Cluster, path + ".cluster"), 1)]);
            case EnvoyCluster.ClusterHeader:
                return new RouteActionResource(notFound, ClusterHeader: new HeaderName(FieldRules.NotEmpty(action.ClusterHeader, path + ".cluster_header")));
            case EnvoyCluster.WeightedClusters:
                return new RouteActionResource(notFound, Clusters: CompileWeights(action.WeightedClusters, path + ".weighted_clusters"));
            case EnvoyCluster.ClusterSpecifierPlugin:
                return Unsupported("cluster_specifier_plugin", path);
            default:
                throw new ResourceRejectedException(path, "one of cluster, cluster_header and weighted_clusters must be set");
        }
    }

    private WeightedClusterResource[] CompileWeights(Envoy.Config.Route.V3.WeightedCluster weighted, string path)
    {
        FieldRules.Refuse(weighted.HeaderName.Length > 0, path + ".header_name");
        if (weighted.RuntimeKeyPrefix.Length > 0)
        {
            notes.Add($"{path}.runtime_key_prefix is not looked up: there is no runtime that could change weights");
        }

        var clusters = new List<WeightedClusterResource>();
        var sum = 0UL;
        for (var i = 0; i < weighted.Clusters.Count; i++)
        {
            var cluster = weighted.Clusters[i];
            FieldRules.Refuse(cluster.ClusterHeader.Length > 0, $"{path}.clusters[{i}].cluster_header");
            if (cluster.MetadataMatch is not null)
            {
                notes.Add($"{path}.clusters[{i}].metadata_match is not applied: clusters have no subsets of their own here");
            }

            var weight = cluster.Weight ?? 0;
            sum += weight;
            if (weight > 0)
            {
                var clusterPath = $"{path}.clusters[{i}]";
                clusters.Add(new WeightedClusterResource(FieldRules.NotEmpty(cluster.Name, clusterPath + ".name"), weight)
                {
                    FilterConfigs = filters.Compile(cluster, clusterPath),
                    RequestHeaders = HeaderMutationsCompiler.Compile(cluster.RequestHeadersToAdd, cluster.RequestHeadersToRemove, clusterPath + ".request_headers", notes),
                    ResponseHeaders = HeaderMutationsCompiler.Compile(cluster.ResponseHeadersToAdd, cluster.ResponseHeadersToRemove, clusterPath + ".response_headers", notes),
                    HostRewrite = cluster.HostRewriteLiteral.Length > 0
                        ? RewriteCompiler.Authority(cluster.HostRewriteLiteral, clusterPath + ".host_rewrite_literal")
                        : null,
                });
            }
        }

        return sum switch
        {
            0 => throw new ResourceRejectedException(path, "the sum of the weights must be greater than 0"),
            > uint.MaxValue => throw new ResourceRejectedException(path, "the sum of the weights must not exceed 4294967295"),
            _ => [.. clusters],
        };
    }

    private static RouteActionResource CompileResponse(DirectResponseAction response, string path)
    {
        if (response.Status is < 200 or >= 600)
        {
            throw new ResourceRejectedException(path + ".status", "must be in [200, 600)");
        }

        FieldRules.Refuse(response.BodyFormat is not null, path + ".body_format");
        var body = response.Body?.SpecifierCase switch
        {
            null or Envoy.Config.Core.V3.DataSource.SpecifierOneofCase.None => [],
            Envoy.Config.Core.V3.DataSource.SpecifierOneofCase.InlineString => System.Text.Encoding.UTF8.GetBytes(response.Body.InlineString),
            Envoy.Config.Core.V3.DataSource.SpecifierOneofCase.InlineBytes => response.Body.InlineBytes.ToByteArray(),
            _ => throw new ResourceRejectedException(path + ".body", "must be inline: a control plane may not name files or variables of this process"),
        };
        return new RouteActionResource(Response: ((HttpStatusCode)response.Status, body));
    }
}
