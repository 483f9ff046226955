using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Google.Protobuf;
using Mesh.DataPlane.CircuitBreakers;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Dns;
using Mesh.DataPlane.HealthChecking;
using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.LoadReporting;
using Mesh.DataPlane.OriginalDst;
using Mesh.DataPlane.OutlierDetection;
using Mesh.DataPlane.Telemetry.Peers;
using Mesh.DataPlane.Transports;
using Mesh.Xds.Ads;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Resources;

/// <summary>Decodes clusters.</summary>
internal sealed class ClusterType() : ResourceType<ClusterResource>(TypeUrls.Cluster, isFullStateInSotw: true)
{
    public static ClusterType Instance { get; } = new();

    protected override ClusterResource DecodeResource(ByteString body, out string name)
    {
        name = "";
        var message = WireMessage.Parse(Envoy.Config.Cluster.V3.Cluster.Parser, body);
        name = message.Name;
        var known = WireMessage.Validate(message, body, Envoy.Config.Cluster.V3.Cluster.Parser);
        if (name.Length == 0)
        {
            throw new ResourceRejectedException("name", "must not be empty");
        }

        var notes = new List<string>(known);
        NotHonoured(message, notes);
        var policy = new ClusterPolicy(
            new RoundRobin(),
            LocalityWeighted: false,
            PanicThreshold: 50,
            TransportSettingsCompiler.Compile(message, notes))
        {
            TransportMatches = TransportMatchesCompiler.Compile(message, notes),
        };
        policy = LoadBalancingCompiler.Compile(policy, message, notes) with
        {
            StatName = message.AltStatName is { Length: > 0 } statName ? statName : null,
            Metadata = ResourceMetadata.Of(message.Metadata),
            Requests = ClusterRequestPolicyCompiler.Compile(message, notes),
            Service = ServiceNames.Of(message.Metadata),
            CircuitBreakers = ClusterThresholdsCompiler.Compile(message.CircuitBreakers, "circuit_breakers", notes),
            OutlierDetection = OutlierDetectionCompiler.Compile(message, notes),
            HealthCheck = HealthCheckCompiler.Compile(message.HealthChecks, "health_checks", notes),
            LoadReporting = new LoadReportingPolicy(
                message.LrsServer?.ConfigSourceSpecifierCase == ConfigSource.ConfigSourceSpecifierOneofCase.Self, [.. message.LrsReportEndpointMetrics]),
            IgnoreNewHostsUntilFirstHealthCheck = message.CommonLbConfig?.IgnoreNewHostsUntilFirstHc ?? false,
            IgnoreHealthOnHostRemoval = message.IgnoreHealthOnHostRemoval,
            CloseConnectionsOnHealthFailure = message.CloseConnectionsOnHostHealthFailure,
            CloseConnectionsOnHostSetChange = message.CommonLbConfig?.CloseConnectionsOnHostSetChange ?? false,
        };

        policy = OriginalDestinationCompiler.Compile(policy, message, notes);
        if (policy.OriginalDestination is not null)
        {
            return new ClusterResource(name, null, null, policy) { Notes = notes };
        }

        if (DnsClusterCompiler.Compile(message, notes) is { } dns)
        {
            return new ClusterResource(name, null, InlineEndpoints(message, namesAllowed: true, notes), policy) { Dns = dns, Notes = notes };
        }

        switch (message.Type)
        {
            case Envoy.Config.Cluster.V3.Cluster.Types.DiscoveryType.Eds:
                if (message.EdsClusterConfig?.EdsConfig?.ConfigSourceSpecifierCase is not (ConfigSource.ConfigSourceSpecifierOneofCase.Ads or ConfigSource.ConfigSourceSpecifierOneofCase.Self))
                {
                    throw new ResourceRejectedException("eds_cluster_config.eds_config", "must be ads or self");
                }

                var service = message.EdsClusterConfig.ServiceName;
                return new ClusterResource(name, service.Length > 0 ? service : name, null, policy) { Notes = notes };
            case Envoy.Config.Cluster.V3.Cluster.Types.DiscoveryType.Static:
                return new ClusterResource(name, null, InlineEndpoints(message, namesAllowed: false, notes), policy) { Notes = notes };
            default:
                throw new ResourceRejectedException("type", $"{message.Type} is not supported");
        }
    }

    private static EndpointsResource InlineEndpoints(Envoy.Config.Cluster.V3.Cluster message, bool namesAllowed, List<string> notes)
    {
        if (message.LoadAssignment is not { } assignment)
        {
            return EndpointsResource.Empty(message.Name);
        }

        notes.AddRange(EndpointsType.NotHonoured(assignment, "load_assignment."));
        return EndpointsType.Compile(assignment, "load_assignment.", namesAllowed);
    }

    private static void NotHonoured(Envoy.Config.Cluster.V3.Cluster message, List<string> notes)
    {
        if (message.PerConnectionBufferLimitBytes is not null)
        {
            notes.Add("per_connection_buffer_limit_bytes is not applied: the buffers of connections are .NET's");
        }

        if (message.LrsServer is { ConfigSourceSpecifierCase: not ConfigSource.ConfigSourceSpecifierOneofCase.Self })
        {
            notes.Add("lrs_server is not applied: the load is told to the control plane that the cluster came from, which is called self");
        }

        if (message.CommonLbConfig?.UpdateMergeWindow is not null)
        {
            notes.Add("common_lb_config.update_merge_window is not applied: updates of endpoints apply at once");
        }
    }
}
