using Google.Protobuf;
using Istio.Telemetry.V1Alpha1;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Generators.Signals;
using Mesh.ControlPlane.Model;
using Mesh.ControlPlane.Model.Policies;
using Mesh.ControlPlane.Model.Signals;
using ExtensionProvider = Istio.Mesh.V1Alpha1.MeshConfig.Types.ExtensionProvider;
using ProviderKind = Istio.Mesh.V1Alpha1.MeshConfig.Types.ExtensionProvider.ProviderOneofCase;

namespace Mesh.ControlPlane.Analysis;

/// <summary>What is wrong between Telemetry documents, the providers that they name and the services that those are.</summary>
internal static class TelemetryAnalyzer
{
    public static void Analyze(ConfigIndex config, ModelDiagnostics diagnostics)
    {
        foreach (var document in config.Telemetries.Documents.All)
        {
            Conflicts(document, config, diagnostics);
            for (var i = 0; i < document.Spec.Tracing.Count; i++)
            {
                Providers(document, document.Spec.Tracing[i].Providers, $"spec.tracing[{i}]", TracingTranslator.IsOfTracing, "spans", config, diagnostics);
            }

            for (var i = 0; i < document.Spec.Metrics.Count; i++)
            {
                Providers(document, document.Spec.Metrics[i].Providers, $"spec.metrics[{i}]", provider => provider.ProviderCase == ProviderKind.Prometheus, "metrics", config, diagnostics);
            }

            AccessLogging(document, config, diagnostics);
        }

        if (config.Mesh.Source is { } mesh)
        {
            Services(mesh, config, diagnostics);
        }
    }

    private static void Conflicts(PolicyRule<Telemetry> document, ConfigIndex config, ModelDiagnostics diagnostics)
    {
        var older = config.Telemetries.Documents.Of(document.Namespace).TakeWhile(other => !ReferenceEquals(other, document));
        if (TelemetryIndex.IsForAll(document))
        {
            if (config.Telemetries.ForAllOf(document.Namespace) is { } first && !ReferenceEquals(first, document))
            {
                diagnostics.Error(
                    document.Source,
                    DiagnosticCodes.SeveralDefaultTelemetries,
                    "spec.selector",
                    $"the namespace {document.Namespace} has a Telemetry without a selector already, {first.Source}; the older one counts, nothing of this one applies: "
                    + "give it a selector, or merge the two");
            }
        }
        else if (document.Selector is { } selector
            && older.FirstOrDefault(other => other.Selector is { } labels && (IsPartOf(labels, selector) || IsPartOf(selector, labels))) is { } overlapping)
        {
            diagnostics.Error(
                document.Source,
                DiagnosticCodes.ConflictingTelemetrySelectors,
                "spec.selector.matchLabels",
                $"selects workloads that {overlapping.Source} selects as well; for those both count, and this one wherever the two say something different: "
                + "make the labels exclude each other, or merge the two");
        }
    }

    private static void AccessLogging(PolicyRule<Telemetry> document, ConfigIndex config, ModelDiagnostics diagnostics)
    {
        var hasProviders = config.Mesh.Providers.DefaultAccessLogging.Count > 0;
        for (var i = 0; i < document.Spec.AccessLogging.Count; i++)
        {
            var entry = document.Spec.AccessLogging[i];
            Providers(document, entry.Providers, $"spec.accessLogging[{i}]", AccessLogTranslator.IsOfAccessLogs, "access logs", config, diagnostics);
            hasProviders |= entry.Providers.Count > 0;
            if (!hasProviders && entry.Disabled != true && !Inherits(document, config))
            {
                diagnostics.Warn(
                    document.Source,
                    DiagnosticCodes.TelemetryWithoutProviders,
                    $"spec.accessLogging[{i}]",
                    "names no provider, and there is none to inherit, so nothing is written by it: add providers: [{name: envoy}], or accessLogging to the defaultProviders of the MeshConfig");
            }
        }
    }

    /// <summary>Whether a wider document names the providers that this one speaks of.</summary>
    private static bool Inherits(PolicyRule<Telemetry> document, ConfigIndex config)
        => new[] { config.Telemetries.ForAllOf(config.Mesh.RootNamespace), config.Telemetries.ForAllOf(document.Namespace) }
            .Any(wider => wider is not null && !ReferenceEquals(wider, document) && wider.Spec.AccessLogging.Any(entry => entry.Providers.Count > 0));

    private static void Providers(
        PolicyRule<Telemetry> document,
        IReadOnlyList<ProviderRef> providers,
        string path,
        Func<ExtensionProvider, bool> isOfKind,
        string what,
        ConfigIndex config,
        ModelDiagnostics diagnostics)
    {
        for (var i = 0; i < providers.Count; i++)
        {
            var at = $"{path}.providers[{i}].name";
            if (config.Mesh.Providers.Find(providers[i].Name) is not { } provider)
            {
                diagnostics.Warn(
                    document.Source,
                    DiagnosticCodes.ReferencedResourceNotFound,
                    at,
                    $"none of the extensionProviders of the MeshConfig is called \"{providers[i].Name}\": no {what} are told to it; there are "
                    + string.Join(", ", config.Mesh.Providers.All.Select(known => known.Name)));
            }
            else if (!isOfKind(provider))
            {
                diagnostics.Warn(
                    document.Source,
                    DiagnosticCodes.NotApplied,
                    at,
                    $"\"{provider.Name}\" ({NameOf(provider)}) is no provider that {what} are told to by this version, so none are");
            }
        }
    }

    private static void Services(ConfigResource mesh, ConfigIndex config, ModelDiagnostics diagnostics)
    {
        var providers = config.Mesh.Config.ExtensionProviders;
        for (var i = 0; i < providers.Count; i++)
        {
            var provider = providers[i];
            (string Service, uint Port)? target = provider.ProviderCase switch
            {
                ProviderKind.Zipkin => (provider.Zipkin.Service, provider.Zipkin.Port),
                ProviderKind.Opentelemetry => (provider.Opentelemetry.Service, provider.Opentelemetry.Port),
                ProviderKind.EnvoyHttpAls => (provider.EnvoyHttpAls.Service, provider.EnvoyHttpAls.Port),
                ProviderKind.EnvoyTcpAls => (provider.EnvoyTcpAls.Service, provider.EnvoyTcpAls.Port),
                ProviderKind.EnvoyOtelAls => (provider.EnvoyOtelAls.Service, provider.EnvoyOtelAls.Port),
                _ => null,
            };
            if (target is not { } named)
            {
                continue;
            }

            var field = $"extensionProviders[{i}].{NameOf(provider)}";
            var at = mesh.SpecPath.Length == 0 ? field : $"{mesh.SpecPath}.{field}";
            var host = named.Service[(named.Service.IndexOf('/', StringComparison.Ordinal) + 1)..];
            var services = config.ServicesOf(host);
            if (services.Count == 0)
            {
                diagnostics.Warn(
                    mesh,
                    DiagnosticCodes.ReferencedResourceNotFound,
                    $"{at}.service",
                    $"no Service and no ServiceEntry has the host {host}: \"{provider.Name}\" is told nothing until one does");
            }
            else if (services.All(service => service.FindPort(named.Port) is null))
            {
                diagnostics.Warn(
                    mesh,
                    DiagnosticCodes.ReferencedResourceNotFound,
                    $"{at}.port",
                    $"{host} has no port {named.Port} (there are {string.Join(", ", services.SelectMany(service => service.Ports).Select(port => port.Number).Distinct())}): \"{provider.Name}\" is told nothing");
            }
        }
    }

    /// <summary>The field that says what a provider is.</summary>
    private static string NameOf(ExtensionProvider provider)
        => ((IMessage)provider).Descriptor.Oneofs.Single().Accessor.GetCaseFieldDescriptor(provider)?.JsonName ?? "";

    private static bool IsPartOf(IReadOnlyDictionary<string, string> labels, IReadOnlyDictionary<string, string> others)
        => labels.All(label => others.TryGetValue(label.Key, out var value) && value == label.Value);
}
