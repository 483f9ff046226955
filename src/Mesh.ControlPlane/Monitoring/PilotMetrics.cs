using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Model;
using Mesh.Xds.Bootstrap;
using Mesh.Xds.Metrics;

namespace Mesh.ControlPlane.Monitoring;

/// <summary>What the control plane counts, under the names that istiod's dashboards query. The streams' own counts are <c>AdsServerMetrics</c>.</summary>
internal sealed class PilotMetrics
{
    private static readonly double[] DebounceTimes = [.01, .1, 1, 3, 5, 10, 20, 30];

    private readonly CounterFamily _triggers;
    private readonly CounterFamily _updates;
    private readonly CounterFamily _configEvents;
    private readonly CounterFamily _registryEvents;
    private readonly HistogramCell _debounce;
    private readonly HistogramCell _initialization;
    private readonly CounterFamily _rejected;
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    public PilotMetrics(MetricRegistry registry)
    {
        _triggers = registry.Counter("pilot_push_triggers", "Pushes by what caused them.", "type");
        _updates = registry.Counter("pilot_inbound_updates", "Changes of documents (config) and of workloads (eds) that came in.", "type");
        _configEvents = registry.Counter("pilot_k8s_cfg_events", "Documents that were added, changed or removed, wherever they are written.", "type", "event");
        _registryEvents = registry.Counter("pilot_k8s_reg_events", "Workloads that came, changed or went, wherever they register.", "type", "event");
        _debounce = registry.Histogram("pilot_debounce_time", "Seconds that changes waited for others to come.", DebounceTimes).Cell();
        _initialization = registry.Histogram("pilot_pushcontext_init_seconds", "Seconds that applying a change to the model took.", DebounceTimes).Cell();
        _rejected = registry.Counter("galley_validation_failed", "Documents that were refused, each once until it is put right.", "kind", "reason");
        registry.Gauge("pilot_info", "The control plane's version.", "version").Cell(XdsNode.UserAgentVersion).Set(1);
        registry.Gauge("istio_build", "What runs here, and its version.", "component", "tag").Cell("pilot", XdsNode.UserAgentVersion).Set(1);
    }

    /// <summary>Shows what can be read off the model and the diagnostics.</summary>
    /// <param name="registry">Where.</param>
    /// <param name="model">The model now.</param>
    /// <param name="diagnostics">What is wrong now.</param>
    public static void Observe(MetricRegistry registry, Func<MeshModel> model, Func<IReadOnlyList<ConfigDiagnostic>> diagnostics)
    {
        registry.Observe("pilot_services", "Services that are known.", () => model().Config.Services.Count());
        registry.Observe("pilot_virt_services", "VirtualServices that are in force.", () => RulesOf(model().Config));
        registry.Observe("pilot_vservice_dup_domain", "VirtualServices that rule over a host which an older one has.", () => diagnostics().Count(d => d.Code == DiagnosticCodes.ConflictingVirtualServiceHosts));
        registry.Observe("pilot_eds_no_instances", "Services of the mesh that nobody serves.", () => Unserved(model()));
        registry.Observe(
            "pilot_conflict_outbound_listener_tcp_over_current_tcp",
            "Services that are not HTTP and share a port, and no address tells them apart: the oldest has it.",
            () => Conflicts(model().Config));
    }

    /// <summary>A change is applied.</summary>
    /// <param name="isConfig">Whether documents are part of it.</param>
    /// <param name="workloads">How many workloads are.</param>
    /// <param name="waited">How long the first of it has waited.</param>
    public void Applying(bool isConfig, int workloads, TimeSpan? waited)
    {
        if (isConfig)
        {
            _updates.Cell("config").Increment();
        }

        if (workloads > 0)
        {
            _updates.Cell("eds").Add(workloads);
        }

        if (waited is { } time)
        {
            _debounce.Record(time.TotalSeconds);
        }
    }

    /// <summary>A change is in the model.</summary>
    public void Applied(TimeSpan took) => _initialization.Record(took.TotalSeconds);

    /// <summary>Clients are told.</summary>
    public void Pushed(bool isConfig, bool isEndpoint)
    {
        if (isConfig)
        {
            _triggers.Cell("config").Increment();
        }

        if (isEndpoint)
        {
            _triggers.Cell("endpoint").Increment();
        }
    }

    public void Count(ConfigSnapshot? before, ConfigSnapshot now)
    {
        foreach (var (change, resource) in ConfigChanges.Between(before ?? ConfigSnapshot.Empty, now))
        {
            _configEvents.Cell(resource.Kind.Kind, change switch { ConfigChange.Added => "add", ConfigChange.Changed => "update", _ => "delete" }).Increment();
        }
    }

    public void Count(string id, bool isGone)
    {
        string what;
        lock (_known)
        {
            what = isGone ? "delete" : _known.Contains(id) ? "update" : "add";
            if (isGone)
            {
                _known.Remove(id);
            }
            else
            {
                _known.Add(id);
            }
        }

        _registryEvents.Cell("WorkloadInstances", what).Increment();
    }

    /// <summary>Errors of documents, each once while it lasts.</summary>
    public void Count(IReadOnlyList<ConfigDiagnostic> before, IReadOnlyList<ConfigDiagnostic> now)
    {
        var old = before.ToHashSet();
        foreach (var diagnostic in now.Where(d => d.Severity == ConfigSeverity.Error && !old.Contains(d)))
        {
            _rejected.Cell(diagnostic.Resource?.Split(' ')[0] ?? "unknown", diagnostic.Code).Increment();
        }
    }

    private static double RulesOf(ConfigIndex config)
        => config.VirtualServiceHosts.SelectMany(config.VirtualServicesOf).Distinct().Count();

    private static double Unserved(MeshModel model)
        => model.Config.Services.Count(service => service is { Selector.Count: > 0, Resolution: ServiceResolution.Endpoints } && model.EndpointsOf(service).Instances.Count == 0);

    private static double Conflicts(ConfigIndex config)
        => config.TcpListeners.Places(onOwnHost: false).Sum(place => Math.Max(0, config.TcpListeners.TargetsAt(place.Address, place.Port, onOwnHost: false).Count(target => target.Subnet is null && !target.Port.Protocol.IsTls()) - 1));
}
