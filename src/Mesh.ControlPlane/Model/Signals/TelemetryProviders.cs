using Istio.Mesh.V1Alpha1;
using Istio.Telemetry.V1Alpha1;
using ExtensionProvider = Istio.Mesh.V1Alpha1.MeshConfig.Types.ExtensionProvider;
using FileProvider = Istio.Mesh.V1Alpha1.MeshConfig.Types.ExtensionProvider.Types.EnvoyFileAccessLogProvider;

namespace Mesh.ControlPlane.Model.Signals;

/// <summary>Where signals go: the providers that a MeshConfig declares, those that are there without being declared, and which are meant where none is named.</summary>
internal sealed class TelemetryProviders
{
    public const string Prometheus = "prometheus";

    /// <summary>Istio's provider of access logs, whose format is the MeshConfig's own.</summary>
    public const string Envoy = "envoy";

    private static readonly ExtensionProvider[] BuiltIn =
    [
        new() { Name = Prometheus, Prometheus = new() },
        new() { Name = "stackdriver", Stackdriver = new() },
        new() { Name = Envoy, EnvoyFileAccessLog = new FileProvider { Path = "/dev/stdout" } },
    ];

    private readonly MeshConfig _config;

    public TelemetryProviders(MeshConfig config)
    {
        _config = config;
        All = [.. config.ExtensionProviders, .. BuiltIn.Where(own => config.ExtensionProviders.All(provider => provider.Name != own.Name))];
    }

    public IReadOnlyList<ExtensionProvider> All { get; }

    public IReadOnlyList<string> DefaultTracing => Default(_config.DefaultProviders?.Tracing);

    public IReadOnlyList<string> DefaultAccessLogging => Default(_config.DefaultProviders?.AccessLogging);

    /// <summary>An installed Istio says Prometheus where nothing else is said.</summary>
    public IReadOnlyList<string> DefaultMetrics => Default(_config.DefaultProviders?.Metrics) is { Count: > 0 } said ? said : [Prometheus];

    /// <summary>The provider of a name, in whatever case it is written, as in Istio.</summary>
    public ExtensionProvider? Find(string name) => All.FirstOrDefault(provider => string.Equals(provider.Name, name, StringComparison.OrdinalIgnoreCase));

    public static IReadOnlyList<string> NamesOf(IEnumerable<ProviderRef> providers) => [.. providers.Select(provider => provider.Name)];

    private static IReadOnlyList<string> Default(IReadOnlyList<string>? names) => names ?? [];
}
