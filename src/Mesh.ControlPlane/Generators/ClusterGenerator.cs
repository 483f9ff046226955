using System.Globalization;
using Envoy.Config.Cluster.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.ControlPlane.Generators.Localities;
using Mesh.ControlPlane.Model;
using DiscoveryType = Envoy.Config.Cluster.V3.Cluster.Types.DiscoveryType;
using SimpleLb = Istio.Networking.V1Alpha3.LoadBalancerSettings.Types.SimpleLB;
using Thresholds = Envoy.Config.Cluster.V3.CircuitBreakers.Types.Thresholds;

namespace Mesh.ControlPlane.Generators;

/// <summary>Clusters: a service's port, or one of its subsets there.</summary>
internal static class ClusterGenerator
{
    private const string HttpProtocolOptionsKey = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

    /// <summary>Istio's default (<c>PILOT_DNS_JITTER_DURATION</c>).</summary>
    private static readonly Duration DnsJitter = new() { Nanos = 100_000_000 };

    /// <returns>The cluster, or <see langword="null"/> when the client knows no such service, port or subset, or cannot be told of it.</returns>
    public static Cluster? Generate(Proxy proxy, MeshModel model, SubsetKey key)
    {
        if (NamedDestinations.Find(proxy, model.Config, key) is not { } service || service.FindPort(key.Port) is not { } port)
        {
            return null;
        }

        var rule = model.Config.FindDestinationRule(proxy.Namespace, service, proxy.Labels);
        var subset = key.Subset.Length > 0 ? rule?.FindSubset(key.Subset) : null;
        if (key.Subset.Length > 0 && subset is null)
        {
            return null;
        }

        var policy = model.Config.Mesh.Complete(rule?.PolicyFor(subset, port.Number) ?? default, port.Protocol);
        var cluster = new Cluster { Name = key.ToString(), Type = TypeOf(proxy.Kind, service, policy) };
        if (proxy.Kind == ProxyKind.Mesh)
        {
            Translate(cluster, proxy, model, service, port, key, policy);
            cluster.Metadata = IstioMetadata.OfCluster(service, port, subset?.Name ?? "", rule);
            cluster.AltStatName = ClusterStatName.Format(model.Config.Mesh.Config.OutboundClusterStatName, service, port, key.Subset);
        }
        else
        {
            TranslateForGrpc(cluster, policy);
            cluster.TransportSocket = new MutualTlsTranslator(model, service, port, key, policy.Tls).SocketForGrpc();
        }

        switch (cluster.Type)
        {
            case DiscoveryType.Eds:
                cluster.EdsClusterConfig = new Cluster.Types.EdsClusterConfig { EdsConfig = ConfigSources.Ads, ServiceName = cluster.Name };
                return cluster;
            case DiscoveryType.OriginalDst:
                cluster.LbPolicy = Cluster.Types.LbPolicy.ClusterProvided;
                cluster.ClearLbConfig();
                if (service.Resolution == ServiceResolution.None && uint.TryParse(port.TargetPort, NumberStyles.None, CultureInfo.InvariantCulture, out var target))
                {
                    cluster.OriginalDstLbConfig = new Cluster.Types.OriginalDstLbConfig { UpstreamPortOverride = target };
                }

                return proxy.Kind == ProxyKind.Grpc ? null : cluster;
            default:
                cluster.LoadAssignment = EndpointGenerator.Assignment(key, proxy, model, service, port, subset, policy);
                AddDns(cluster, proxy, model.Config.Mesh);
                return CanResolve(proxy.Kind, cluster) ? cluster : null;
        }
    }

    private static void Translate(
        Cluster cluster, Proxy proxy, MeshModel model, MeshService service, MeshServicePort port, SubsetKey key, in TrafficPolicyParts policy)
    {
        LoadBalancerTranslator.Apply(cluster, policy.LoadBalancer);
        ConnectionPoolTranslator.Apply(cluster, policy.ConnectionPool, policy.RetryBudget);
        cluster.CommonLbConfig = new Cluster.Types.CommonLbConfig();
        LocalityPolicy.Of(service, policy)?.ApplyTo(cluster.CommonLbConfig);
        if (policy.OutlierDetection is { } outlierDetection)
        {
            cluster.OutlierDetection = OutlierDetectionTranslator.Translate(outlierDetection);

            // Envoy's 50 % would soon send to the ejected ones again where a service has few workloads.
            cluster.CommonLbConfig.HealthyPanicThreshold = new Envoy.Type.V3.Percent { Value = outlierDetection.MinHealthPercent };
        }

        var tls = UpstreamTlsTranslator.Of(proxy, service, port, policy.Tls);
        var options = ConnectionPoolTranslator.HttpOptions(port, policy.ConnectionPool, policy.OutlierDetection, tls?.HttpOptions);
        if (options is not null)
        {
            cluster.TypedExtensionProtocolOptions[HttpProtocolOptionsKey] = Any.Pack(options);
        }

        var isHttp2 = options?.ExplicitHttpConfig?.Http2ProtocolOptions is not null;
        cluster.TransportSocket = tls?.Socket(isHttp2);
        new MutualTlsTranslator(model, service, port, key, policy.Tls).ApplyTo(cluster, isHttp2, isAsCalled: options?.UseDownstreamProtocolConfig is not null);
    }

    /// <summary>The load balancer and, as gRFC A32 has it, the limit of requests are all that gRPC reads of a policy. It reports load of clusters that say so (gRFC A27).</summary>
    private static void TranslateForGrpc(Cluster cluster, in TrafficPolicyParts policy)
    {
        cluster.LrsServer = ConfigSources.Self;
        LoadBalancerTranslator.ApplyForGrpc(cluster, policy.LoadBalancer);
        if (policy.ConnectionPool?.Http is { Http2MaxRequests: > 0 } http)
        {
            cluster.CircuitBreakers = new CircuitBreakers { Thresholds = { new Thresholds { MaxRequests = (uint)http.Http2MaxRequests } } };
        }
    }

    private static DiscoveryType TypeOf(ProxyKind kind, MeshService service, in TrafficPolicyParts policy) => service.Resolution switch
    {
        _ when kind == ProxyKind.Mesh && policy.LoadBalancer is { ConsistentHash: null, Simple: SimpleLb.Passthrough } => DiscoveryType.OriginalDst,
        ServiceResolution.None => DiscoveryType.OriginalDst,
        // gRPC resolves one name at most (gRFC A37).
        ServiceResolution.Dns => kind == ProxyKind.Grpc ? DiscoveryType.LogicalDns : DiscoveryType.StrictDns,
        ServiceResolution.DnsRoundRobin => DiscoveryType.LogicalDns,
        _ => DiscoveryType.Eds,
    };

    public static void AddDns(Cluster cluster, Proxy proxy, MeshSettings mesh)
    {
        if (proxy.Kind == ProxyKind.Grpc)
        {
            return;
        }

        cluster.DnsLookupFamily = proxy.IsIpv6Only ? Cluster.Types.DnsLookupFamily.V6Only : Cluster.Types.DnsLookupFamily.V4Only;
#pragma warning disable CS0612 // Istio says it in the older fields, which every Envoy reads.
        cluster.DnsRefreshRate = mesh.DnsRefreshRate;
        cluster.DnsJitter = DnsJitter;
        cluster.RespectDnsTtl = true;
#pragma warning restore CS0612
    }

    /// <summary>A DNS cluster without any name is none, and a LOGICAL_DNS cluster has exactly one: Envoy and gRPC refuse it otherwise.</summary>
    private static bool CanResolve(ProxyKind kind, Cluster cluster)
    {
        var count = cluster.LoadAssignment.Endpoints.Sum(locality => locality.LbEndpoints.Count);
        if (count > 1 && kind == ProxyKind.Mesh)
        {
            cluster.Type = DiscoveryType.StrictDns;
        }

        return count == 1 || (count > 1 && kind == ProxyKind.Mesh);
    }
}
