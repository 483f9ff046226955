using Mesh.DataPlane.Redirects;
using Mesh.DataPlane.Upstream;
using Mesh.Xds.Bootstrap;
using Mesh.Xds.Metrics;

namespace Mesh.DataPlane.Telemetry.Metrics;

/// <summary>What the process tells of itself: Envoy's <c>envoy_server_*</c>, Prometheus' <c>process_*</c>, and what no cluster counts.</summary>
internal static class ProcessMetrics
{
    public static void Register(MetricRegistry registry, MeshEngine engine, TimeProvider time)
    {
        var (began, start) = (time.GetTimestamp(), time.GetUtcNow());
        registry.Observe("envoy_server_live", "1 while the process lives.", () => 1);
        registry.Observe("envoy_server_uptime", "Seconds since the mesh began in this process.", () => Math.Floor(time.GetElapsedTime(began).TotalSeconds));
        registry.Observe("envoy_server_concurrency", "Processors that this process may use.", () => Environment.ProcessorCount);
        registry.Observe("envoy_server_memory_allocated", "Bytes of managed memory in use.", () => GC.GetTotalMemory(forceFullCollection: false));
        registry.Observe("envoy_server_memory_heap_size", "Bytes of managed memory that the process keeps.", () => GC.GetGCMemoryInfo().TotalCommittedBytes);
        registry.Observe("process_resident_memory_bytes", "Bytes of memory that the process has.", () => Environment.WorkingSet);
        registry.Observe("process_start_time_seconds", "When the mesh began in this process, in seconds since 1970.", () => start.ToUnixTimeMilliseconds() / 1000.0);
        if (!OperatingSystem.IsIOS() && !OperatingSystem.IsTvOS() && !OperatingSystem.IsBrowser())
        {
            registry.Observe(
                new MetricDescription("process_cpu_seconds_total", MetricType.Counter, "Seconds of processors that the process has used."),
                visitor => visitor.Value([], Environment.CpuUsage.TotalTime.TotalSeconds));
        }

        registry.Gauge("istio_build", "What runs here, and its version.", "component", "tag").Cell("proxy", XdsNode.UserAgentVersion).Set(1);
        if (engine.Upstream is Router router)
        {
            Redirects(registry, router.Redirects);
        }
    }

    private static void Redirects(MetricRegistry registry, InternalRedirectStats stats)
    {
        Observe("bad_location", "their address was none that a request could go to", () => stats.BadLocation.Value);
        Observe("unsafe_scheme", "they lead from HTTP to HTTPS or back", () => stats.UnsafeScheme.Value);
        Observe("too_many_redirects", "there were too many", () => stats.TooManyRedirects.Value);
        Observe("no_route", "their address is not the mesh's", () => stats.NoRoute.Value);
        Observe("predicate", "a predicate refused them", () => stats.Predicate.Value);

        void Observe(string reason, string why, Func<long> read)
            => registry.Observe(
                new MetricDescription("envoy_http_passthrough_internal_redirect_" + reason, MetricType.Counter, $"Redirects that were to be followed and were not: {why}."),
                visitor => visitor.Value([], read()));
    }
}
