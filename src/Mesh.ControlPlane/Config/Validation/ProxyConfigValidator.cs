using Istio.Mesh.V1Alpha1;
using Istio.Networking.V1Alpha3;
using ProxyConfigDocument = Istio.Networking.V1Beta1.ProxyConfig;
using TagCase = Istio.Mesh.V1Alpha1.Tracing.Types.CustomTag.TypeOneofCase;

namespace Mesh.ControlPlane.Config.Validation;

/// <summary>What Istio demands of a ProxyConfig, as a document of its own, as the MeshConfig's <c>defaultConfig</c> and as a workload's annotation.</summary>
internal static class ProxyConfigValidator
{
    /// <summary>Variables that Istio's agent and Envoy's tracers read; a process reads its own environment.</summary>
    private static readonly string[] OfAgents = ["ISTIO_", "PILOT_", "CA_", "OTEL_", "BOOTSTRAP_XDS_AGENT", "XDS_", "OUTPUT_CERTS", "PROV_CERT", "EXIT_ON_ZERO_ACTIVE_CONNECTIONS", "MINIMUM_DRAIN_DURATION"];

    public static void Validate(ProxyConfigDocument spec, ValidationContext context)
    {
        PolicySelectorValidator.Validate(spec.Selector, context);
        Concurrency(spec.Concurrency, "concurrency", context);
        Variables(spec.EnvironmentVariables, "environmentVariables", context);
    }

    /// <param name="config">What is said.</param>
    /// <param name="path">Where: empty, or a path with a dot behind it.</param>
    /// <param name="context">Takes what is wrong.</param>
    public static void Validate(ProxyConfig config, string path, ValidationContext context)
    {
        Concurrency(config.Concurrency, $"{path}concurrency", context);
        Variables(config.ProxyMetadata, $"{path}proxyMetadata", context);
        Address(config.EnvoyAccessLogService?.Address, $"{path}envoyAccessLogService.address", context);
        Plain(config.EnvoyAccessLogService?.TlsSettings, $"{path}envoyAccessLogService.tlsSettings", "envoyHttpAls", context);
        if (config.Tracing is not { } tracing)
        {
            return;
        }

        Address(tracing.Zipkin?.Address, $"{path}tracing.zipkin.address", context);
        Plain(tracing.TlsSettings, $"{path}tracing.tlsSettings", "zipkin", context);
        if (tracing.Sampling is not (>= 0 and <= 100))
        {
            context.Error($"{path}tracing.sampling", $"must be from 0 to 100, not {tracing.Sampling}.");
        }

        foreach (var (name, tag) in tracing.CustomTags)
        {
            if (tag.TypeCase == TagCase.None)
            {
                context.Error(Yaml.YamlPath.Append($"{path}tracing.customTags", name), "says nothing of its value: give it one of literal, environment and header.");
            }
            else if (tag.TypeCase == TagCase.Header && !FieldRules.IsHeaderName(tag.Header.Name))
            {
                context.Error(Yaml.YamlPath.Append($"{path}tracing.customTags", name), $"\"{tag.Header.Name}\" is not the name of a header.");
            }
        }
    }

    private static void Concurrency(int? concurrency, string path, ValidationContext context)
    {
        if (concurrency < 0)
        {
            context.Error(path, $"must be greater than or equal to 0, not {concurrency}.");
        }
    }

    private static void Variables(IReadOnlyDictionary<string, string> variables, string path, ValidationContext context)
    {
        foreach (var name in variables.Keys.Order(StringComparer.Ordinal))
        {
            if (name.Length == 0 || name.Contains('=', StringComparison.Ordinal))
            {
                context.Error(path, $"\"{name}\" is not the name of a variable.");
            }
            else if (Array.Exists(OfAgents, prefix => name.StartsWith(prefix, StringComparison.Ordinal)))
            {
                context.NotApplied(
                    Yaml.YamlPath.Append(path, name),
                    "accepted, but only custom tags of spans find it: it configures the proxy beside a process, and there is none; set it in the environment of the process itself if that reads it.");
            }
        }
    }

    private static void Address(string? address, string path, ValidationContext context)
    {
        if (address is { Length: > 0 } && (!Model.Authority.TryParse(address, out _, out var port) || port is null))
        {
            context.Error(path, $"\"{address}\" is not a host and a port, such as zipkin.istio-system:9411.");
        }
    }

    /// <summary>What is asked for by TLS does not go out in plain text.</summary>
    private static void Plain(ClientTLSSettings? settings, string path, string kind, ValidationContext context)
    {
        if (settings is not null && settings.Mode != ClientTLSSettings.Types.TLSmode.Disable)
        {
            context.Error(path, $"is not supported: declare the host by a ServiceEntry, its TLS by a DestinationRule, and name it by a provider of extensionProviders ({kind}).");
        }
    }
}
