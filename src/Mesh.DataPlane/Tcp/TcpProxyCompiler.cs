using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Retry;
using Mesh.DataPlane.Telemetry.AccessLogs;
using Mesh.DataPlane.Timeouts;
using Mesh.Xds.Client;
using Mesh.Xds.Validation;
using EnvoyTcpProxy = Envoy.Extensions.Filters.Network.TcpProxy.V3.TcpProxy;

namespace Mesh.DataPlane.Tcp;

/// <summary>Compiles <c>tcp_proxy</c> filters.</summary>
internal static class TcpProxyCompiler
{
    // What a connection of this process has no use for, or does without; why, in words.
    private static readonly Dictionary<string, string> _told = new(StringComparer.Ordinal)
    {
        ["on_demand"] = "clusters are asked for as soon as they are named",
        ["metadata_match"] = "clusters have no subsets by metadata",
        ["downstream_idle_timeout"] = "idle_timeout is the one that counts, as in Envoy",
        ["upstream_idle_timeout"] = "idle_timeout is the one that counts, as in Envoy",
        ["access_log_flush_interval"] = "a connection is logged once, at its end",
        ["flush_access_log_on_connected"] = "a connection is logged once, at its end",
        ["access_log_options"] = "a connection is logged once, at its end",
        ["proxy_protocol_tlvs"] = "no PROXY header is sent",
        ["proxy_protocol_tlv_merge_policy"] = "no PROXY header is sent",
        ["upstream_connect_mode"] = "connections are made at once",
        ["max_early_data_bytes"] = "connections are made at once",
        ["check_drain_close"] = "connections are closed when the time for draining is over",
    };

    /// <exception cref="ResourceRejectedException">It breaks a rule, or asks for what would carry connections elsewhere if it were left out.</exception>
    public static TcpProxyPolicy Compile(Any packed, string path, ICollection<string> notes)
    {
        var message = WireMessage.Parse(EnvoyTcpProxy.Parser, packed.Value, path);
        foreach (var note in WireMessage.Validate(message, packed.Value, EnvoyTcpProxy.Parser, path))
        {
            notes.Add(note);
        }

        if (message.TunnelingConfig is not null)
        {
            throw new ResourceRejectedException($"{path}.tunneling_config", "is not supported; without it the bytes of the connection would reach a proxy that expects CONNECT");
        }

        foreach (var field in EnvoyTcpProxy.Descriptor.Fields.InDeclarationOrder().Where(f => _told.ContainsKey(f.Name) && IsSet(f.Accessor.GetValue(message))))
        {
            notes.Add($"{path}.{field.Name} is not applied: {_told[field.Name]}");
        }

        var duration = message.MaxDownstreamConnectionDuration is { } max ? Limit(max, $"{path}.max_downstream_connection_duration") : Timeout.InfiniteTimeSpan;
        return new TcpProxyPolicy(message.StatPrefix, Targets(message, path, notes))
        {
            IdleTimeout = message.IdleTimeout is { } idle ? Limit(idle, $"{path}.idle_timeout") : TimeSpan.FromHours(1),
            MaxConnectAttempts = message.MaxConnectAttempts ?? 1,
            BackOff = message.BackoffOptions is { } backOff ? BackOffOf(backOff, $"{path}.backoff_options") : null,
            MaxDuration = duration,
            MaxDurationJitter = (message.MaxDownstreamConnectionDurationJitterPercentage?.Value ?? 0) / 100,
            HashesSourceAddress = HashesSourceAddress(message, path, notes),
            AccessLogs = AccessLogCompiler.Compile(message.AccessLog, $"{path}.access_log", notes),
        };
    }

    private static IReadOnlyList<TcpProxyPolicy.Target> Targets(EnvoyTcpProxy message, string path, ICollection<string> notes)
    {
        if (message.WeightedClusters is not { } weighted)
        {
            return [new TcpProxyPolicy.Target(Resources.FieldRules.NotEmpty(message.Cluster, $"{path}.cluster"), 1)];
        }

        for (var i = 0; i < weighted.Clusters.Count; i++)
        {
            if (weighted.Clusters[i].MetadataMatch is not null)
            {
                notes.Add($"{path}.weighted_clusters.clusters[{i}].metadata_match is not applied: {_told["metadata_match"]}");
            }
        }

        return weighted.Clusters.Sum(c => (long)c.Weight) <= uint.MaxValue
            ? [.. weighted.Clusters.Select(c => new TcpProxyPolicy.Target(c.Name, c.Weight))]
            : throw new ResourceRejectedException($"{path}.weighted_clusters", "the sum of the weights must not exceed 4294967295");
    }

    private static bool HashesSourceAddress(EnvoyTcpProxy message, string path, ICollection<string> notes)
    {
        if (message.HashPolicy is not [var policy, ..])
        {
            return false;
        }

        if (policy.SourceIp is not null)
        {
            return true;
        }

        notes.Add($"{path}.hash_policy[0].filter_state is not applied: connections of this process have no filter state");
        return false;
    }

    private static BackOff BackOffOf(Envoy.Config.Core.V3.BackoffStrategy message, string path)
    {
        var interval = TimerRange.Limit(TimeoutPolicyCompiler.Value(message.BaseInterval, path + ".base_interval") ?? BackOff.Default.Base);
        var max = TimerRange.Limit(TimeoutPolicyCompiler.Value(message.MaxInterval, path + ".max_interval") ?? interval * 10);
        return max >= interval ? new BackOff(interval, max) : throw new ResourceRejectedException(path + ".max_interval", "must be at least base_interval");
    }

    // Zero is none, as in Envoy.
    private static TimeSpan Limit(Duration duration, string path)
    {
        var value = TimeoutPolicyCompiler.Value(duration, path)!.Value;
        return value == TimeSpan.Zero || value > TimerRange.Longest ? Timeout.InfiniteTimeSpan : value;
    }

    private static bool IsSet(object? value)
        => value switch
        {
            null or false or "" or System.Collections.ICollection { Count: 0 } => false,
            System.Enum e => Convert.ToInt32(e, System.Globalization.CultureInfo.InvariantCulture) != 0,
            _ => true,
        };
}
