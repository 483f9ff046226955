using Envoy.Config.Listener.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf.WellKnownTypes;
using Istio.Telemetry.V1Alpha1;
using Mesh.ControlPlane.Model.Signals;
using Stats;
using Operation = Istio.Telemetry.V1Alpha1.MetricsOverrides.Types.TagOverride.Types.Operation;
using ProviderKind = Istio.Mesh.V1Alpha1.MeshConfig.Types.ExtensionProvider.ProviderOneofCase;

namespace Mesh.ControlPlane.Generators.Signals;

/// <summary>What is measured as Istio's metrics filter: <c>istio.stats</c> among the filters of requests and of connections.</summary>
internal static class StatsTranslator
{
    public const string FilterName = "istio.stats";

    /// <summary>Istio's names in documents, and in the filter: those of the metrics without <c>istio_</c>.</summary>
    private static readonly Dictionary<string, string> Names = new(StringComparer.Ordinal)
    {
        ["REQUEST_COUNT"] = "requests_total",
        ["REQUEST_DURATION"] = "request_duration_milliseconds",
        ["REQUEST_SIZE"] = "request_bytes",
        ["RESPONSE_SIZE"] = "response_bytes",
        ["TCP_OPENED_CONNECTIONS"] = "tcp_connections_opened_total",
        ["TCP_CLOSED_CONNECTIONS"] = "tcp_connections_closed_total",
        ["TCP_SENT_BYTES"] = "tcp_sent_bytes_total",
        ["TCP_RECEIVED_BYTES"] = "tcp_received_bytes_total",
        ["GRPC_REQUEST_MESSAGES"] = "request_messages_total",
        ["GRPC_RESPONSE_MESSAGES"] = "response_messages_total",
    };

    /// <summary>The filter's configuration.</summary>
    /// <param name="choices">What is measured, by provider.</param>
    /// <param name="providers">The providers.</param>
    /// <param name="mode"><c>CLIENT</c> or <c>SERVER</c>.</param>
    /// <remarks>
    /// Where Istio leaves the filter out because nothing is to be measured, it drops each metric here: a process that is told nothing measures, so that
    /// it does without a control plane what it does with one that has no documents.
    /// </remarks>
    public static PluginConfig Translate(IReadOnlyDictionary<string, MetricsChoice> choices, TelemetryProviders providers, WorkloadMode mode)
    {
        // Servers and gateways take no host for a service that is none of the mesh's.
        var config = new PluginConfig { DisableHostHeaderFallback = mode == WorkloadMode.Server };
        var choice = MetricsChoice.Together([.. choices.Where(choice => providers.Find(choice.Key)?.ProviderCase == ProviderKind.Prometheus).Select(choice => choice.Value)]);
        if (choice is null or { IsDisabled: true })
        {
            config.Metrics.AddRange(MetricsChoice.IstioMetrics.Select(name => new MetricConfig { Name = Names[name], Drop = true }));
            return config;
        }

        config.TcpReportingDuration = choice.ReportingInterval;
        foreach (var (name, change) in choice.Overrides)
        {
            var metric = new MetricConfig { Name = Names.GetValueOrDefault(name, name), Drop = change.IsDropped };
            foreach (var (tag, value) in change.Tags)
            {
                if (value.Operation == Operation.Remove)
                {
                    metric.TagsToRemove.Add(tag);
                }
                else
                {
                    metric.Dimensions[tag] = value.Value;
                }
            }

            config.Metrics.Add(metric);
        }

        return config;
    }

    public static HttpFilter HttpFilter(PluginConfig config) => new() { Name = FilterName, TypedConfig = Any.Pack(config) };

    public static Filter NetworkFilter(PluginConfig config) => new() { Name = FilterName, TypedConfig = Any.Pack(config) };
}
