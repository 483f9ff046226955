using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Istio.Telemetry.V1Alpha1;
using Mesh.ControlPlane.Model;
using Mesh.ControlPlane.Model.Policies;
using Mesh.ControlPlane.Model.Signals;

namespace Mesh.ControlPlane.Generators.Signals;

/// <summary>Access logs, traces and metrics of one end of a workload's requests, from the Telemetry documents that count for it and the MeshConfig.</summary>
internal static class SignalTranslator
{
    /// <param name="proxy">The workload.</param>
    /// <param name="config">The documents.</param>
    /// <param name="mode"><c>CLIENT</c>: of the requests that it makes; <c>SERVER</c>: of those that it answers.</param>
    public static ListenerSignals Translate(Proxy proxy, ConfigIndex config, WorkloadMode mode)
    {
        // gRPC libraries have signals of their own and refuse what they do not know.
        if (proxy.Kind == ProxyKind.Grpc)
        {
            return ListenerSignals.None;
        }

        Telemetry[] documents = [.. config.Telemetries.Of(proxy.Namespace, proxy.Labels).Select(document => document.Spec)];
        var providers = config.Mesh.Providers;
        var collectors = new Collectors(proxy, config);
        var own = config.ProxyConfigs.Of(proxy);

        var stats = StatsTranslator.Translate(MetricsChoice.Of(documents, providers.DefaultMetrics, mode), providers, mode);
        var logs = new AccessLogTranslator(proxy, config.Mesh.Config, own, providers, collectors);
        var logged = AccessLogChoice.Of(documents, providers.DefaultAccessLogging, mode);
        var traced = TracingChoice.Of(documents, providers.DefaultTracing, mode);

        // In a process what is on trial is told by its own listeners alone; proxies are told as Istio tells them.
        var hasTrials = !proxy.IsInProcess
            || (mode == WorkloadMode.Server && config.Policies.Of(proxy.Namespace, proxy.Labels).Authorizations.Any(policy => DryRun.IsOn(policy.Source)));
        var http = new HttpConnectionManager
        {
            AccessLog = { logs.Translate(logged, isHttp: true) },
            Tracing = new TracingTranslator(proxy, config.Mesh, own, collectors, hasTrials).Translate(traced),
            HttpFilters = { StatsTranslator.HttpFilter(stats) },
        };

        // Requests get an id where nothing is said: Envoy's default.
        if (own.Headers?.RequestId?.Disabled == true)
        {
            http.GenerateRequestId = false;
        }

        if (traced is { UsesRequestIdForSampling: false, IsDisabled: false })
        {
            http.RequestIdExtension = RequestIds.NotForSampling;
        }

        return new ListenerSignals(http, logs.Translate(logged, isHttp: false), stats, collectors.Found);
    }
}
