using Envoy.Config.Route.V3;
using Google.Protobuf;
using Mesh.DataPlane.Filters;
using Mesh.Xds.Ads;
using Mesh.Xds.Client;

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
    /// <param name="message">The message.</param>
    /// <param name="path">Where it stands.</param>
    /// <param name="filterTypes">The filters that there are.</param>
    /// <param name="isInbound">Its requests come in and go to the application, in place of going out.</param>
    public static RouteConfigurationResource Compile(RouteConfiguration message, string path, FilterTypes filterTypes, bool isInbound = false)
    {
        FieldRules.Refuse(message.IgnorePathParametersInPathMatching, path + "ignore_path_parameters_in_path_matching");
        var domains = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var conditions = new RouteConditionsCache();
        var notes = new HashSet<string>(StringComparer.Ordinal);
        var filters = new RouteFilterConfigsCompiler(message, path, filterTypes, notes);
        var actions = new RouteActionCompiler(filters, notes, isInbound);
        if (message.InternalOnlyHeaders.Count > 0 && !isInbound)
        {
            notes.Add($"{path}internal_only_headers are not removed: a caller in this process is internal");
        }

        if (message.ValidateClusters == true)
        {
            notes.Add($"{path}validate_clusters is not applied: a cluster that is not there is the answer to its requests");
        }

        // The routes of one document say the same of themselves.
        var described = new Dictionary<Envoy.Config.Core.V3.Metadata, ResourceMetadata?>();
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

            if (isInbound && host.RequireTls == Envoy.Config.Route.V3.VirtualHost.Types.TlsRequirementType.ExternalOnly)
            {
                throw new ResourceRejectedException(hostPath + ".require_tls", "EXTERNAL_ONLY is not supported; write ALL or NONE");
            }

            var policies = new RoutePolicyCompiler(message, host, path, hostPath, filters.Host(host, hostPath), notes);
            var routes = new RouteResource[host.Routes.Count];
            for (var r = 0; r < routes.Length; r++)
            {
                var route = host.Routes[r];
                var routePath = $"{hostPath}.routes[{r}]";
                if (message.MaxDirectResponseBodySizeBytes is { } limit && BodySize(route) is var size && size > limit)
                {
                    throw new ResourceRejectedException($"{path}max_direct_response_body_size_bytes", $"is {limit}, and the body of {routePath}.direct_response has {size} bytes");
                }

                routes[r] = new RouteResource(
                    route.Name,
                    RouteMatchCompiler.Compile(route.Match ?? throw new ResourceRejectedException(routePath + ".match", "must be set"), conditions, routePath + ".match"),
                    actions.Compile(route, routePath),
                    policies.Compile(route, routePath))
                {
                    Metadata = MetadataOf(route, described),
                };
            }

            hosts[i] = new VirtualHostResource(host.Name, [.. host.Domains], routes)
            {
                // A caller in this process is as internal as a caller can be: EXTERNAL_ONLY asks nothing of it.
                RequiresTls = host.RequireTls == Envoy.Config.Route.V3.VirtualHost.Types.TlsRequirementType.All,
            };
        }

        return new RouteConfigurationResource(message.Name, message.IgnorePortInHostMatching, hosts) { Notes = [.. notes.Take(MaxNotes)] };
    }

    private static ResourceMetadata? MetadataOf(Route route, Dictionary<Envoy.Config.Core.V3.Metadata, ResourceMetadata?> described)
    {
        if (route.Metadata is not { FilterMetadata.Count: > 0 } metadata)
        {
            return null;
        }

        if (!described.TryGetValue(metadata, out var known))
        {
            described[metadata] = known = ResourceMetadata.Of(metadata);
        }

        return known;
    }

    private static int BodySize(Route route)
        => route.DirectResponse?.Body is not { } body ? 0
            : body.InlineBytes.Length + System.Text.Encoding.UTF8.GetByteCount(body.InlineString);

    private static void CheckDomain(string domain, string path)
    {
        var star = domain.IndexOf('*');
        if (domain.Length == 0 || domain.LastIndexOf('*') != star || (star > 0 && star != domain.Length - 1))
        {
            throw new ResourceRejectedException(path, $"'{domain}' must be a name, '*', or have one '*' at its beginning or end");
        }
    }
}
