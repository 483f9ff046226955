using System.Net;
using Envoy.Config.Route.V3;
using Google.Protobuf;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Routing;
using Mesh.Xds.Ads;
using Mesh.Xds.Client;
using EnvoyAction = Envoy.Config.Route.V3.Route.ActionOneofCase;
using EnvoyCluster = Envoy.Config.Route.V3.RouteAction.ClusterSpecifierOneofCase;
using EnvoyPath = Envoy.Config.Route.V3.RouteMatch.PathSpecifierOneofCase;

namespace Mesh.DataPlane.Resources;

/// <summary>Decodes route configurations: compiles every matcher, so that what cannot be honoured is refused here and not met by a request.</summary>
internal sealed class RouteConfigurationType(FilterTypes filters) : ResourceType<RouteConfigurationResource>(TypeUrls.RouteConfiguration, isFullStateInSotw: false)
{
    private const int MaxNotes = 20;

    /// <summary>Knows the filters that are built in, and no other.</summary>
    public static RouteConfigurationType Instance { get; } = new(FilterTypes.BuiltIn);

    protected override RouteConfigurationResource DecodeResource(ByteString body, out string name)
    {
        name = "";
        var message = WireMessage.Parse(RouteConfiguration.Parser, body);
        name = message.Name;
        var notes = WireMessage.Validate(message, body, RouteConfiguration.Parser);
        var compiled = Compile(message, "", filters);
        return compiled with { Notes = [.. notes, .. compiled.Notes] };
    }

    /// <summary>Compiles a route configuration, the inline one of a listener too.</summary>
    public static RouteConfigurationResource Compile(RouteConfiguration message, string path, FilterTypes filterTypes)
    {
        var domains = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var conditions = new RouteConditionsCache();
        var notes = new HashSet<string>(StringComparer.Ordinal);
        var filters = new RouteFilterConfigsCompiler(message, path, filterTypes, notes);
        var hosts = new VirtualHostResource[message.VirtualHosts.Count];
        for (var i = 0; i < hosts.Length; i++)
        {
            var host = message.VirtualHosts[i];
            var hostPath = $"{path}virtual_hosts[{i}]";
            if (host.Domains.Count == 0)
            {
                throw new ResourceRejectedException(hostPath + ".domains", "must name at least one domain");
            }

            for (var d = 0; d < host.Domains.Count; d++)
            {
                CheckDomain(host.Domains[d], $"{hostPath}.domains[{d}]");
                if (!domains.Add(host.Domains[d]))
                {
                    throw new ResourceRejectedException($"{hostPath}.domains[{d}]", $"the domain '{host.Domains[d]}' occurs twice in the route configuration");
                }
            }

            var policies = new RoutePolicyCompiler(message, host, hostPath, filters.Host(host, hostPath), notes);
            var routes = new RouteResource[host.Routes.Count];
            for (var r = 0; r < routes.Length; r++)
            {
                routes[r] = Compile(host.Routes[r], conditions, policies, filters, $"{hostPath}.routes[{r}]");
            }

            hosts[i] = new VirtualHostResource(host.Name, [.. host.Domains], routes);
        }

        return new RouteConfigurationResource(message.Name, message.IgnorePortInHostMatching, hosts) { Notes = [.. notes.Take(MaxNotes)] };
    }

    private static void CheckDomain(string domain, string path)
    {
        var star = domain.IndexOf('*');
        if (domain.Length == 0 || domain.LastIndexOf('*') != star || (star > 0 && star != domain.Length - 1))
        {
            throw new ResourceRejectedException(path, $"'{domain}' must be a name, '*', or have one '*' at its beginning or end");
        }
    }

    private static RouteResource Compile(Route route, RouteConditionsCache conditions, RoutePolicyCompiler policies, RouteFilterConfigsCompiler filters, string path)
        => new(
            route.Name,
            CompileMatch(route.Match ?? throw new ResourceRejectedException(path + ".match", "must be set"), conditions, path + ".match"),
            CompileAction(route, filters, path),
            policies.Compile(route, path));

    private static Routing.RouteMatch CompileMatch(Envoy.Config.Route.V3.RouteMatch match, RouteConditionsCache conditions, string path)
    {
        // Each of these narrows what the route applies to; ignoring one would send requests where they must not go.
        Refuse(match.PathSpecifierCase == EnvoyPath.ConnectMatcher, path + ".connect_matcher");
        Refuse(match.PathSpecifierCase == EnvoyPath.PathMatchPolicy, path + ".path_match_policy");
        Refuse(match.TlsContext is not null, path + ".tls_context");
        Refuse(match.DynamicMetadata.Count > 0, path + ".dynamic_metadata");
        Refuse(match.FilterState.Count > 0, path + ".filter_state");

        var caseSensitive = match.CaseSensitive ?? true;
        var pathMatch = match.PathSpecifierCase switch
        {
            EnvoyPath.Prefix => new PathMatch(PathMatchKind.Prefix, match.Prefix, caseSensitive),
            EnvoyPath.Path => new PathMatch(PathMatchKind.Exact, match.Path, caseSensitive),
            EnvoyPath.PathSeparatedPrefix => new PathMatch(PathMatchKind.PathSeparatedPrefix, match.PathSeparatedPrefix, caseSensitive),
            EnvoyPath.SafeRegex => new PathMatch(
                PathMatchKind.Regex,
                match.SafeRegex.Regex,
                CaseSensitive: true,
                MatcherCompiler.Regex(match.SafeRegex, path + ".safe_regex")),
            _ => throw new ResourceRejectedException(path, "one of prefix, path, safe_regex and path_separated_prefix must be set"),
        };

        return new Routing.RouteMatch(pathMatch, conditions.Compile(match, path));
    }

    private static RouteActionResource CompileAction(Route route, RouteFilterConfigsCompiler filters, string path)
        => route.ActionCase switch
        {
            EnvoyAction.Route_ => CompileForward(route.Route_, filters, path + ".route"),
            EnvoyAction.DirectResponse => CompileResponse(route.DirectResponse, path + ".direct_response"),
            EnvoyAction.Redirect => new RouteActionResource(Unsupported: "redirect"),
            EnvoyAction.FilterAction => new RouteActionResource(Unsupported: "filter_action"),
            EnvoyAction.NonForwardingAction => new RouteActionResource(Unsupported: "non_forwarding_action"),
            _ => throw new ResourceRejectedException(path, "an action must be set"),
        };

    private static RouteActionResource CompileForward(Envoy.Config.Route.V3.RouteAction action, RouteFilterConfigsCompiler filters, string path)
    {
        var notFound = action.ClusterNotFoundResponseCode switch
        {
            Envoy.Config.Route.V3.RouteAction.Types.ClusterNotFoundResponseCode.ServiceUnavailable => HttpStatusCode.ServiceUnavailable,
            Envoy.Config.Route.V3.RouteAction.Types.ClusterNotFoundResponseCode.NotFound => HttpStatusCode.NotFound,
            Envoy.Config.Route.V3.RouteAction.Types.ClusterNotFoundResponseCode.InternalServerError => HttpStatusCode.InternalServerError,
            _ => throw new ResourceRejectedException(path + ".cluster_not_found_response_code", $"{action.ClusterNotFoundResponseCode} is not a known value"),
        };

        switch (action.ClusterSpecifierCase)
        {
            case EnvoyCluster.Cluster:
                return new RouteActionResource(notFound, Clusters: [new WeightedClusterResource(NotEmpty(action.Cluster, path + ".cluster"), 1)]);
            case EnvoyCluster.ClusterHeader:
                return new RouteActionResource(notFound, ClusterHeader: new HeaderName(NotEmpty(action.ClusterHeader, path + ".cluster_header")));
            case EnvoyCluster.WeightedClusters:
                return new RouteActionResource(notFound, Clusters: CompileWeights(action.WeightedClusters, filters, path + ".weighted_clusters"));
            case EnvoyCluster.ClusterSpecifierPlugin:
                return new RouteActionResource(Unsupported: "cluster_specifier_plugin");
            default:
                throw new ResourceRejectedException(path, "one of cluster, cluster_header and weighted_clusters must be set");
        }
    }

    private static WeightedClusterResource[] CompileWeights(
        Envoy.Config.Route.V3.WeightedCluster weighted,
        RouteFilterConfigsCompiler filters,
        string path)
    {
        Refuse(weighted.HeaderName.Length > 0, path + ".header_name");
        var clusters = new List<WeightedClusterResource>();
        var sum = 0UL;
        for (var i = 0; i < weighted.Clusters.Count; i++)
        {
            var cluster = weighted.Clusters[i];
            Refuse(cluster.ClusterHeader.Length > 0, $"{path}.clusters[{i}].cluster_header");
            var weight = cluster.Weight ?? 0;
            sum += weight;
            if (weight > 0)
            {
                clusters.Add(new WeightedClusterResource(NotEmpty(cluster.Name, $"{path}.clusters[{i}].name"), weight)
                {
                    FilterConfigs = filters.Compile(cluster, $"{path}.clusters[{i}]"),
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

        Refuse(response.BodyFormat is not null, path + ".body_format");
        var body = response.Body?.SpecifierCase switch
        {
            null or Envoy.Config.Core.V3.DataSource.SpecifierOneofCase.None => [],
            Envoy.Config.Core.V3.DataSource.SpecifierOneofCase.InlineString => System.Text.Encoding.UTF8.GetBytes(response.Body.InlineString),
            Envoy.Config.Core.V3.DataSource.SpecifierOneofCase.InlineBytes => response.Body.InlineBytes.ToByteArray(),
            _ => throw new ResourceRejectedException(path + ".body", "must be inline: a control plane may not name files or variables of this process"),
        };
        return new RouteActionResource(Response: ((HttpStatusCode)response.Status, body));
    }

    private static string NotEmpty(string value, string path)
        => value.Length > 0 ? value : throw new ResourceRejectedException(path, "must not be empty");

    private static void Refuse(bool isSet, string path)
    {
        if (isSet)
        {
            throw new ResourceRejectedException(path, "is not supported by this data plane, and ignoring it would send requests elsewhere");
        }
    }
}
