using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Istio.Networking.V1Alpha3;
using Hash = Istio.Networking.V1Alpha3.LoadBalancerSettings.Types.ConsistentHashLB;
using LbPolicy = Envoy.Config.Cluster.V3.Cluster.Types.LbPolicy;
using SimpleLb = Istio.Networking.V1Alpha3.LoadBalancerSettings.Types.SimpleLB;
using SlowStart = Envoy.Config.Cluster.V3.Cluster.Types.SlowStartConfig;

namespace Mesh.ControlPlane.Generators;

/// <summary>How a cluster picks among its endpoints. What a request is hashed by stands in its route.</summary>
internal static class LoadBalancerTranslator
{
    private const ulong DefaultRingSize = 1024;

    public static void Apply(Cluster cluster, LoadBalancerSettings? settings)
    {
        if (settings?.ConsistentHash is { } hash)
        {
            ApplyHash(cluster, hash);
            return;
        }

        var slowStart = SlowStartOf(settings);
        switch (settings?.Simple)
        {
            case SimpleLb.Random:
                cluster.LbPolicy = LbPolicy.Random;
                break;
            case SimpleLb.RoundRobin:
                cluster.LbPolicy = LbPolicy.RoundRobin;
                cluster.RoundRobinLbConfig = slowStart is null ? null : new() { SlowStartConfig = slowStart };
                break;
            default:
                cluster.LbPolicy = LbPolicy.LeastRequest;
                cluster.LeastRequestLbConfig = slowStart is null ? null : new() { SlowStartConfig = slowStart };
                break;
        }
    }

    /// <summary>What gRPC libraries know (gRFC A42, A48): round robin unless least request or a hash is asked for; the ring stands in for Maglev.</summary>
    public static void ApplyForGrpc(Cluster cluster, LoadBalancerSettings? settings)
    {
        if (settings?.ConsistentHash is { } hash)
        {
            ApplyHash(cluster, hash);
            if (cluster.LbPolicy == LbPolicy.Maglev)
            {
                cluster.LbPolicy = LbPolicy.RingHash;
                cluster.RingHashLbConfig = new() { MinimumRingSize = DefaultRingSize };
            }
        }
        else if (settings?.Simple == SimpleLb.LeastRequest)
        {
            cluster.LbPolicy = LbPolicy.LeastRequest;
        }
    }

    private static void ApplyHash(Cluster cluster, Hash hash)
    {
        switch (hash.HashAlgorithmCase)
        {
            case Hash.HashAlgorithmOneofCase.Maglev:
                cluster.LbPolicy = LbPolicy.Maglev;
                cluster.MaglevLbConfig = hash.Maglev.TableSize > 0 ? new() { TableSize = hash.Maglev.TableSize } : null;
                break;
            case Hash.HashAlgorithmOneofCase.RingHash:
                cluster.LbPolicy = LbPolicy.RingHash;
                cluster.RingHashLbConfig = hash.RingHash.MinimumRingSize > 0 ? new() { MinimumRingSize = hash.RingHash.MinimumRingSize } : null;
                break;
            default:
                cluster.LbPolicy = LbPolicy.RingHash;
#pragma warning disable CS0612 // The older place of the ring's size.
                cluster.RingHashLbConfig = new() { MinimumRingSize = hash.MinimumRingSize > 0 ? hash.MinimumRingSize : DefaultRingSize };
#pragma warning restore CS0612
                break;
        }
    }

    private static SlowStart? SlowStartOf(LoadBalancerSettings? settings)
    {
        if (settings?.Warmup is { } warmup)
        {
            return new SlowStart
            {
                SlowStartWindow = warmup.Duration,
                // Envoy demands a key; Istio's is one that no runtime can hold, so that the value stands.
                Aggression = new RuntimeDouble { DefaultValue = warmup.Aggression ?? 1, RuntimeKey = "(" },
                MinWeightPercent = new Envoy.Type.V3.Percent { Value = warmup.MinimumPercent ?? 10 },
            };
        }

        return settings?.WarmupDurationSecs is { } window ? new SlowStart { SlowStartWindow = window } : null;
    }
}
