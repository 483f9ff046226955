using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Extensions.LoadBalancingPolicies.WrrLocality.V3;
using Envoy.Extensions.TransportSockets.RawBuffer.V3;
using Google.Protobuf;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.Transports;
using Mesh.Xds.Ads;
using Mesh.Xds.Client;
using EnvoyLeastRequest = Envoy.Extensions.LoadBalancingPolicies.LeastRequest.V3.LeastRequest;
using EnvoyRandom = Envoy.Extensions.LoadBalancingPolicies.Random.V3.Random;
using EnvoyRoundRobin = Envoy.Extensions.LoadBalancingPolicies.RoundRobin.V3.RoundRobin;
using HttpProtocolOptions = Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions;
using MeshPolicy = Mesh.DataPlane.LoadBalancing.LoadBalancingPolicy;

namespace Mesh.DataPlane.Resources;

/// <summary>Decodes clusters.</summary>
internal sealed class ClusterType() : ResourceType<ClusterResource>(TypeUrls.Cluster, isFullStateInSotw: true)
{
    private const string HttpProtocolOptionsKey = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    private const int MaxPolicyDepth = 16;

    public static ClusterType Instance { get; } = new();

    protected override ClusterResource DecodeResource(ByteString body, out string name)
    {
        name = "";
        var message = WireMessage.Parse(Envoy.Config.Cluster.V3.Cluster.Parser, body);
        name = message.Name;
        var notes = WireMessage.Validate(message, body, Envoy.Config.Cluster.V3.Cluster.Parser);
        if (name.Length == 0)
        {
            throw new ResourceRejectedException("name", "must not be empty");
        }

        RefuseTls(message);
        var (loadBalancing, localityWeighted) = LoadBalancing(message);
        var policy = new ClusterPolicy(
            loadBalancing,
            localityWeighted || message.CommonLbConfig?.LocalityWeightedLbConfig is not null,
            message.CommonLbConfig?.HealthyPanicThreshold?.Value ?? 50,
            new TransportSettings(Protocol(message), message.ConnectTimeout?.ToTimeSpan() ?? TimeSpan.FromSeconds(5)));

        if (policy.Transport.ConnectTimeout <= TimeSpan.Zero)
        {
            throw new ResourceRejectedException("connect_timeout", "must be greater than 0");
        }

        if (message.ClusterType is not null)
        {
            throw new ResourceRejectedException("cluster_type", $"'{message.ClusterType.Name}' is not supported");
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
            case Envoy.Config.Cluster.V3.Cluster.Types.DiscoveryType.StrictDns:
            case Envoy.Config.Cluster.V3.Cluster.Types.DiscoveryType.LogicalDns:
                var dns = message.Type != Envoy.Config.Cluster.V3.Cluster.Types.DiscoveryType.Static;
                return new ClusterResource(
                    name,
                    null,
                    message.LoadAssignment is null ? EndpointsResource.Empty(name) : EndpointsType.Compile(message.LoadAssignment, "load_assignment.", dns),
                    policy)
                { Notes = notes };
            default:
                throw new ResourceRejectedException("type", $"{message.Type} is not supported");
        }
    }

    // Until TLS is honoured a cluster that asks for it must not be spoken to in clear text.
    private static void RefuseTls(Envoy.Config.Cluster.V3.Cluster message)
    {
        if (message.TransportSocket is { } socket && socket.TypedConfig?.Is(RawBuffer.Descriptor) != true)
        {
            throw new ResourceRejectedException("transport_socket", $"'{socket.Name}' is not supported; the cluster is refused rather than spoken to in clear text");
        }

        if (message.TransportSocketMatches.Count > 0 || message.TransportSocketMatcher is not null)
        {
            throw new ResourceRejectedException("transport_socket_matches", "is not supported; the cluster is refused rather than spoken to in clear text");
        }
    }

    private static UpstreamProtocol Protocol(Envoy.Config.Cluster.V3.Cluster message)
    {
        if (message.TypedExtensionProtocolOptions.TryGetValue(HttpProtocolOptionsKey, out var any))
        {
            const string Path = $"typed_extension_protocol_options[{HttpProtocolOptionsKey}]";
            var options = WireMessage.Parse(HttpProtocolOptions.Parser, any.Value, Path);
            return options.UpstreamProtocolOptionsCase switch
            {
                HttpProtocolOptions.UpstreamProtocolOptionsOneofCase.ExplicitHttpConfig
                    => options.ExplicitHttpConfig.Http2ProtocolOptions is not null ? UpstreamProtocol.Http2 : UpstreamProtocol.Http11,
                HttpProtocolOptions.UpstreamProtocolOptionsOneofCase.UseDownstreamProtocolConfig => UpstreamProtocol.Downstream,

                // Without ALPN, which needs TLS, Envoy's automatic choice is HTTP/1.1.
                HttpProtocolOptions.UpstreamProtocolOptionsOneofCase.AutoConfig => UpstreamProtocol.Http11,
                _ => throw new ResourceRejectedException(Path, "upstream_protocol_options must be set"),
            };
        }

#pragma warning disable CS0612 // The older way to say HTTP/2, which gRPC-minded control planes still use.
        return message.Http2ProtocolOptions is not null ? UpstreamProtocol.Http2 : UpstreamProtocol.Http11;
#pragma warning restore CS0612
    }

    private static (MeshPolicy Policy, bool LocalityWeighted) LoadBalancing(Envoy.Config.Cluster.V3.Cluster message)
    {
        if (message.LoadBalancingPolicy is { } policy)
        {
            return Policy(policy, "load_balancing_policy", depth: 0);
        }

        return message.LbPolicy switch
        {
            Envoy.Config.Cluster.V3.Cluster.Types.LbPolicy.RoundRobin => (new RoundRobin(), false),
            Envoy.Config.Cluster.V3.Cluster.Types.LbPolicy.Random => (new RandomChoice(), false),
            Envoy.Config.Cluster.V3.Cluster.Types.LbPolicy.LeastRequest => (
                new LeastRequest(
                    ChoiceCount(message.LeastRequestLbConfig?.ChoiceCount, "least_request_lb_config"),
                    Bias(message.LeastRequestLbConfig?.ActiveRequestBias)),
                false),
            _ => throw new ResourceRejectedException("lb_policy", $"{message.LbPolicy} is not supported"),
        };
    }

    // Envoy takes the first policy of the list that it knows; gRFC A52 bounds the nesting.
    private static (MeshPolicy Policy, bool LocalityWeighted) Policy(Envoy.Config.Cluster.V3.LoadBalancingPolicy list, string path, int depth)
    {
        if (depth >= MaxPolicyDepth)
        {
            throw new ResourceRejectedException(path, $"is nested deeper than {MaxPolicyDepth} policies");
        }

        foreach (var candidate in list.Policies)
        {
            if (candidate.TypedExtensionConfig?.TypedConfig is not { } config)
            {
                continue;
            }

            if (config.TryUnpack(out EnvoyRoundRobin roundRobin))
            {
                return (new RoundRobin(), roundRobin.LocalityLbConfig?.LocalityWeightedLbConfig is not null);
            }

            if (config.TryUnpack(out EnvoyRandom random))
            {
                return (new RandomChoice(), random.LocalityLbConfig?.LocalityWeightedLbConfig is not null);
            }

            if (config.TryUnpack(out EnvoyLeastRequest leastRequest))
            {
                return (
                    new LeastRequest(ChoiceCount(leastRequest.ChoiceCount, path), Bias(leastRequest.ActiveRequestBias)),
                    leastRequest.LocalityLbConfig?.LocalityWeightedLbConfig is not null);
            }

            if (config.TryUnpack(out WrrLocality locality) && locality.EndpointPickingPolicy is { } child)
            {
                return (Policy(child, path + ".endpoint_picking_policy", depth + 1).Policy, true);
            }
        }

        throw new ResourceRejectedException(path, "none of the policies is supported");
    }

    private static uint ChoiceCount(uint? value, string path)
        => value is null or >= 2 ? value ?? 2 : throw new ResourceRejectedException(path + ".choice_count", "must be at least 2");

    private static double Bias(RuntimeDouble? value) => value is { } bias ? Math.Max(0, bias.DefaultValue) : 1.0;
}
