using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Extensions.LoadBalancingPolicies.Common.V3;
using Envoy.Extensions.LoadBalancingPolicies.WrrLocality.V3;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.LoadBalancing.Orca;
using Mesh.Xds.Client;
using Mesh.Xds.Validation;
using Cluster = Envoy.Config.Cluster.V3.Cluster;
using EnvoyClientSideWeightedRoundRobin = Envoy.Extensions.LoadBalancingPolicies.ClientSideWeightedRoundRobin.V3.ClientSideWeightedRoundRobin;
using EnvoyClusterProvided = Envoy.Extensions.LoadBalancingPolicies.ClusterProvided.V3.ClusterProvided;
using EnvoyLeastRequest = Envoy.Extensions.LoadBalancingPolicies.LeastRequest.V3.LeastRequest;
using EnvoyMaglev = Envoy.Extensions.LoadBalancingPolicies.Maglev.V3.Maglev;
using EnvoyOverrideHost = Envoy.Extensions.LoadBalancingPolicies.OverrideHost.V3.OverrideHost;
using EnvoyPickFirst = Envoy.Extensions.LoadBalancingPolicies.PickFirst.V3.PickFirst;
using EnvoyRandom = Envoy.Extensions.LoadBalancingPolicies.Random.V3.Random;
using EnvoyRingHash = Envoy.Extensions.LoadBalancingPolicies.RingHash.V3.RingHash;
using EnvoyRoundRobin = Envoy.Extensions.LoadBalancingPolicies.RoundRobin.V3.RoundRobin;
using EnvoyZoneAware = Envoy.Extensions.LoadBalancingPolicies.Common.V3.LocalityLbConfig.Types.ZoneAwareLbConfig;
using LbPolicy = Envoy.Config.Cluster.V3.Cluster.Types.LbPolicy;
using MeshPolicy = Mesh.DataPlane.LoadBalancing.LoadBalancingPolicy;

namespace Mesh.DataPlane.Resources;

/// <summary>Compiles how a cluster picks: the older enum with its settings beside it, or the newer list of policies, which wins where both are.</summary>
internal static class LoadBalancingCompiler
{
    private const int MaxPolicyDepth = 16;

    private static readonly TimeSpan MinUpdatePeriod = TimeSpan.FromMilliseconds(100);

    private const string HttpProtocolOptionsKey = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

    /// <summary>Puts a cluster's load balancing into its policy.</summary>
    /// <param name="policy">The policy so far.</param>
    /// <param name="message">The cluster.</param>
    /// <param name="notes">Receives what is not done, in words.</param>
    /// <exception cref="ResourceRejectedException">It cannot be done and must not be left out.</exception>
    public static ClusterPolicy Compile(ClusterPolicy policy, Cluster message, ICollection<string> notes)
    {
        var common = message.CommonLbConfig;
        policy = policy with
        {
            PanicThreshold = Math.Min(100, Math.Round(common?.HealthyPanicThreshold?.Value ?? 50)),
            OverrideHostStatuses = common?.OverrideHostStatus is { } statuses
                ? statuses.Statuses.Aggregate(HostStatuses.None, (set, status) => set | EndpointsType.Status(status))
                : HostStatuses.Default,
            HashPolicies = ProtocolHashPolicies(message, notes),
        };
        if (message.LbSubsetConfig is not null)
        {
            // Hosts are narrowed by a route's metadata; without that, requests would reach hosts outside of their subset.
            throw new ResourceRejectedException("lb_subset_config", "is not supported; let each subset be a cluster of its own");
        }

        policy = policy with
        {
            LocalityWeighted = common?.LocalityWeightedLbConfig is not null,
            ZoneAware = common?.ZoneAwareLbConfig is { } zone ? new ZoneAware(zone.RoutingEnabled?.Value ?? 100, zone.MinClusterSize ?? 6) : null,
            FailTrafficOnPanic = common?.ZoneAwareLbConfig?.FailTrafficOnPanic ?? false,
        };
        if (message.LoadBalancingPolicy is { } list)
        {
            // As in Envoy, the list replaces lb_policy and its settings.
            return new PolicyList(notes).Apply(policy, list, "load_balancing_policy", depth: 0);
        }

        if (message.LbPolicy == LbPolicy.LoadBalancingPolicyConfig)
        {
            throw new ResourceRejectedException("load_balancing_policy", "must be set when lb_policy is LOAD_BALANCING_POLICY_CONFIG");
        }

        return Older(policy, message);
    }

    private static Routing.HashPolicies? ProtocolHashPolicies(Cluster message, ICollection<string> notes)
    {
        const string Path = $"typed_extension_protocol_options[{HttpProtocolOptionsKey}]";
        if (!message.TypedExtensionProtocolOptions.TryGetValue(HttpProtocolOptionsKey, out var any))
        {
            return null;
        }

        var options = WireMessage.Parse(Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions.Parser, any.Value, Path);
        return HashPolicyCompiler.Compile(options.HashPolicy, Path + ".hash_policy", notes);
    }

    private static ClusterPolicy Older(ClusterPolicy policy, Cluster message)
    {
        var hashing = message.CommonLbConfig?.ConsistentHashingLbConfig;
        return policy with
        {
            LoadBalancing = message.LbPolicy switch
            {
                LbPolicy.RoundRobin => new RoundRobin { SlowStart = SlowStart(message.RoundRobinLbConfig?.SlowStartConfig, "round_robin_lb_config.slow_start_config") },
                LbPolicy.Random => new RandomChoice(),
                LbPolicy.LeastRequest => new LeastRequest(
                    ChoiceCount(message.LeastRequestLbConfig?.ChoiceCount, "least_request_lb_config"),
                    Bias(message.LeastRequestLbConfig?.ActiveRequestBias, "least_request_lb_config.active_request_bias"))
                {
                    SlowStart = SlowStart(message.LeastRequestLbConfig?.SlowStartConfig, "least_request_lb_config.slow_start_config"),
                },
                LbPolicy.RingHash => Ring(
                    message.RingHashLbConfig?.MinimumRingSize,
                    message.RingHashLbConfig?.MaximumRingSize,
                    message.RingHashLbConfig?.HashFunction == Cluster.Types.RingHashLbConfig.Types.HashFunction.MurmurHash2,
                    hashing?.UseHostnameForHashing ?? false,
                    hashing?.HashBalanceFactor,
                    "ring_hash_lb_config"),
                LbPolicy.ClusterProvided => new ClusterProvided(),
                LbPolicy.Maglev => Table(message.MaglevLbConfig?.TableSize, hashing?.UseHostnameForHashing ?? false, hashing?.HashBalanceFactor, "maglev_lb_config"),
                _ => throw new ResourceRejectedException("lb_policy", $"{message.LbPolicy} is not supported"),
            },
        };
    }

    private static RingHash Ring(ulong? minimum, ulong? maximum, bool murmur, bool useHostname, uint? balance, string path)
    {
        var ring = new RingHash(minimum ?? 1024, maximum ?? RingHash.Limit, murmur, useHostname, balance ?? 0);
        return ring.MinimumRingSize > ring.MaximumRingSize || ring.MaximumRingSize is 0 or > RingHash.Limit
            ? throw new ResourceRejectedException(path, $"minimum_ring_size ({ring.MinimumRingSize}) must not exceed maximum_ring_size ({ring.MaximumRingSize}), nor that {RingHash.Limit}")
            : ring;
    }

    private static Maglev Table(ulong? size, bool useHostname, uint? balance, string path)
        => size is null or <= Maglev.Limit && Maglev.IsPrime(size ?? 65537)
            ? new Maglev((uint)(size ?? 65537), useHostname, balance ?? 0)
            : throw new ResourceRejectedException(path + ".table_size", $"must be a prime number of at most {Maglev.Limit}");

    private static uint ChoiceCount(uint? value, string path)
        => value is null or >= 2 ? value ?? 2 : throw new ResourceRejectedException(path + ".choice_count", "must be at least 2");

    private static double Bias(RuntimeDouble? value, string path)
        => value is null or { DefaultValue: >= 0 } ? value?.DefaultValue ?? 1.0 : throw new ResourceRejectedException(path, "must not be negative");

    private static SlowStart? SlowStart(Cluster.Types.SlowStartConfig? message, string path)
        => message is null ? null : SlowStart(message.SlowStartWindow, message.Aggression, message.MinWeightPercent, path);

    private static SlowStart? SlowStart(SlowStartConfig? message, string path)
        => message is null ? null : SlowStart(message.SlowStartWindow, message.Aggression, message.MinWeightPercent, path);

    private static SlowStart? SlowStart(Google.Protobuf.WellKnownTypes.Duration? window, RuntimeDouble? aggression, Envoy.Type.V3.Percent? minimum, string path)
    {
        if (aggression is { DefaultValue: not > 0 })
        {
            throw new ResourceRejectedException(path + ".aggression", "must be greater than 0");
        }

        // Envoy does nothing without a window.
        return window?.ToTimeSpan() is { } span && span > TimeSpan.Zero ? new SlowStart(TimerRange.Limit(span), aggression?.DefaultValue ?? 1.0, (minimum?.Value ?? 10) / 100) : null;
    }

    /// <summary>Envoy takes the first policy of the list that it knows; gRFC A52 bounds the nesting.</summary>
    private sealed class PolicyList(ICollection<string> notes)
    {
        public ClusterPolicy Apply(ClusterPolicy policy, Envoy.Config.Cluster.V3.LoadBalancingPolicy list, string path, int depth)
        {
            if (depth >= MaxPolicyDepth)
            {
                throw new ResourceRejectedException(path, $"is nested deeper than {MaxPolicyDepth} policies");
            }

            for (var i = 0; i < list.Policies.Count; i++)
            {
                if (list.Policies[i].TypedExtensionConfig?.TypedConfig is { } config && TryApply(policy, config, $"{path}.policies[{i}]", depth) is { } applied)
                {
                    return applied;
                }
            }

            throw new ResourceRejectedException(path, "none of the policies is supported");
        }

        private ClusterPolicy? TryApply(ClusterPolicy policy, Google.Protobuf.WellKnownTypes.Any config, string path, int depth)
        {
            if (TryRead(config, EnvoyRoundRobin.Parser, path, out var roundRobin))
            {
                return With(policy, new RoundRobin { SlowStart = SlowStart(roundRobin.SlowStartConfig, path + ".slow_start_config") }, roundRobin.LocalityLbConfig);
            }

            if (TryRead(config, EnvoyRandom.Parser, path, out var random))
            {
                return With(policy, new RandomChoice(), random.LocalityLbConfig);
            }

            if (TryRead(config, EnvoyLeastRequest.Parser, path, out var least))
            {
                return With(policy, LeastRequest(least, path), least.LocalityLbConfig);
            }

            if (TryRead(config, EnvoyRingHash.Parser, path, out var ring))
            {
                return Hashed(policy, RingHash(ring, path), ring.LocalityWeightedLbConfig is not null, ring.ConsistentHashingLbConfig, path);
            }

            if (TryRead(config, EnvoyMaglev.Parser, path, out var maglev))
            {
                var hashing = maglev.ConsistentHashingLbConfig;
                return Hashed(policy, Table(maglev.TableSize, hashing?.UseHostnameForHashing ?? false, hashing?.HashBalanceFactor, path), maglev.LocalityWeightedLbConfig is not null, hashing, path);
            }

            if (TryRead(config, EnvoyClientSideWeightedRoundRobin.Parser, path, out var weighted))
            {
                return policy with { LoadBalancing = ClientSideWeightedRoundRobin(weighted, path) };
            }

            if (TryRead(config, EnvoyOverrideHost.Parser, path, out var overridden) && overridden.FallbackPolicy is { } fallback)
            {
                return OverrideHost(Apply(policy, fallback, path + ".fallback_policy", depth + 1), overridden, path);
            }

            if (TryRead(config, EnvoyPickFirst.Parser, path, out var first))
            {
                return policy with { LoadBalancing = new PickFirst(first.ShuffleAddressList) };
            }

            if (config.Is(EnvoyClusterProvided.Descriptor))
            {
                return policy with { LoadBalancing = new ClusterProvided() };
            }

            if (TryRead(config, WrrLocality.Parser, path, out var locality) && locality.EndpointPickingPolicy is { } child)
            {
                return Apply(policy, child, path + ".endpoint_picking_policy", depth + 1) with { LocalityWeighted = true, ZoneAware = null };
            }

            return null;
        }

        private bool TryRead<T>(Google.Protobuf.WellKnownTypes.Any config, Google.Protobuf.MessageParser<T> parser, string path, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out T? message)
            where T : class, Google.Protobuf.IMessage<T>, new()
        {
            if (!config.Is(new T().Descriptor))
            {
                message = null;
                return false;
            }

            message = WireMessage.Parse(parser, config.Value, path);
            foreach (var note in WireMessage.Validate(message, config.Value, parser, path))
            {
                notes.Add(note);
            }

            return true;
        }

        private ClientSideWeightedRoundRobin ClientSideWeightedRoundRobin(EnvoyClientSideWeightedRoundRobin message, string path)
        {
            if (message.EnableOobLoadReport == true)
            {
                notes.Add($"{path}.enable_oob_load_report is not applied, the reports in responses are used");
            }

            if (message.OobReportingPeriod is not null)
            {
                notes.Add($"{path}.oob_reporting_period is not applied, the reports in responses are used");
            }

            if (message.OobReportingConfig is not null)
            {
                notes.Add($"{path}.oob_reporting_config is not applied, the reports in responses are used");
            }

            return new ClientSideWeightedRoundRobin(
                TimerRange.Limit(message.BlackoutPeriod?.ToTimeSpan() ?? TimeSpan.FromSeconds(10)),
                TimerRange.Limit(message.WeightExpirationPeriod?.ToTimeSpan() ?? TimeSpan.FromMinutes(3)),
                message.WeightUpdatePeriod?.ToTimeSpan() is not { } period ? TimeSpan.FromSeconds(1) : period < MinUpdatePeriod ? MinUpdatePeriod : TimerRange.Limit(period),
                message.ErrorUtilizationPenalty ?? 1.0)
            {
                Metrics = [.. message.MetricNamesForComputingUtilization],
                SlowStart = SlowStart(message.SlowStartConfig, path + ".slow_start_config"),
            };
        }

        private ClusterPolicy OverrideHost(ClusterPolicy policy, EnvoyOverrideHost message, string path)
        {
            if (message.OverrideHostSources.Any(s => s.Metadata is not null) || message.SelectedHostKey is not null)
            {
                notes.Add($"{path} is applied without metadata of override_host_sources and selected_host_key: only headers name a host");
            }

            return policy with { OverrideHostHeaders = [.. message.OverrideHostSources.Where(s => s.Header.Length > 0).Select(s => new Matching.HeaderName(s.Header))] };
        }

        private static LeastRequest LeastRequest(EnvoyLeastRequest message, string path)
        {
#pragma warning disable CS0612 // The older way to say FULL_SCAN.
            var fullScan = message.SelectionMethod == EnvoyLeastRequest.Types.SelectionMethod.FullScan || message.EnableFullScan == true;
#pragma warning restore CS0612
            return new LeastRequest(ChoiceCount(message.ChoiceCount, path), Bias(message.ActiveRequestBias, path + ".active_request_bias"), fullScan)
            {
                SlowStart = SlowStart(message.SlowStartConfig, path + ".slow_start_config"),
            };
        }

        private static RingHash RingHash(EnvoyRingHash message, string path)
        {
            var hashing = message.ConsistentHashingLbConfig;
#pragma warning disable CS0612 // Where the newer message is absent, the older fields count.
            var useHostname = hashing?.UseHostnameForHashing ?? message.UseHostnameForHashing;
            var balance = hashing is null ? message.HashBalanceFactor : hashing.HashBalanceFactor;
#pragma warning restore CS0612
            return Ring(message.MinimumRingSize, message.MaximumRingSize, message.HashFunction == EnvoyRingHash.Types.HashFunction.MurmurHash2, useHostname, balance, path);
        }

        private ClusterPolicy Hashed(ClusterPolicy policy, MeshPolicy hashing, bool localityWeighted, ConsistentHashingLbConfig? config, string path)
        {
            var own = HashPolicyCompiler.Compile(config?.HashPolicy ?? [], path + ".consistent_hashing_lb_config.hash_policy", notes);
            return policy with
            {
                LoadBalancing = hashing,
                LocalityWeighted = policy.LocalityWeighted || localityWeighted,
                HashPolicies = own ?? policy.HashPolicies,
            };
        }

        private ClusterPolicy With(ClusterPolicy policy, MeshPolicy loadBalancing, LocalityLbConfig? localities)
        {
            policy = policy with { LoadBalancing = loadBalancing };
            return localities is null
                ? policy
                : policy with
                {
                    LocalityWeighted = localities.LocalityWeightedLbConfig is not null,
                    ZoneAware = localities.ZoneAwareLbConfig is { } zone ? Zone(zone) : null,
                    FailTrafficOnPanic = localities.ZoneAwareLbConfig?.FailTrafficOnPanic ?? false,
                };
        }

        private static ZoneAware Zone(EnvoyZoneAware message)
            => new(
                message.RoutingEnabled?.Value ?? 100,
                message.MinClusterSize ?? 6,
                message.ForceLocalZone is { } force ? force.MinSize ?? 1 : null,
                message.LocalityBasis == EnvoyZoneAware.Types.LocalityBasis.HealthyHostsWeight);
    }
}
