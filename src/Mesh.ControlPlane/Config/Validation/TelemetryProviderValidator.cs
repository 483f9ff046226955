using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Istio.Mesh.V1Alpha1;
using ExtensionProvider = Istio.Mesh.V1Alpha1.MeshConfig.Types.ExtensionProvider;
using HttpHeader = Istio.Mesh.V1Alpha1.MeshConfig.Types.ExtensionProvider.Types.HttpHeader;
using OtelProvider = Istio.Mesh.V1Alpha1.MeshConfig.Types.ExtensionProvider.Types.OpenTelemetryTracingProvider;
using ProviderKind = Istio.Mesh.V1Alpha1.MeshConfig.Types.ExtensionProvider.ProviderOneofCase;

namespace Mesh.ControlPlane.Config.Validation;

/// <summary>What Istio asks of providers of signals among the <c>extensionProviders</c>, and what a MeshConfig says of signals by itself.</summary>
internal static class TelemetryProviderValidator
{
    public static void Validate(ExtensionProvider provider, string path, ValidationContext context)
    {
        switch (provider.ProviderCase)
        {
            case ProviderKind.Zipkin:
                Service(provider.Zipkin.Service, provider.Zipkin.Port, $"{path}.zipkin", context);
                FieldRules.AtLeastAMillisecond(provider.Zipkin.Timeout, $"{path}.zipkin.timeout", context);
                Headers(provider.Zipkin.Headers, $"{path}.zipkin.headers", context);
                break;
            case ProviderKind.Opentelemetry:
                Otel(provider.Opentelemetry, $"{path}.opentelemetry", context);
                break;
            case ProviderKind.EnvoyHttpAls:
                Service(provider.EnvoyHttpAls.Service, provider.EnvoyHttpAls.Port, $"{path}.envoyHttpAls", context);
                break;
            case ProviderKind.EnvoyTcpAls:
                Service(provider.EnvoyTcpAls.Service, provider.EnvoyTcpAls.Port, $"{path}.envoyTcpAls", context);
                break;
            case ProviderKind.EnvoyOtelAls:
                Service(provider.EnvoyOtelAls.Service, provider.EnvoyOtelAls.Port, $"{path}.envoyOtelAls", context);
                Text(provider.EnvoyOtelAls.LogFormat?.Text, $"{path}.envoyOtelAls.logFormat.text", context);
                Json(provider.EnvoyOtelAls.LogFormat?.Labels, $"{path}.envoyOtelAls.logFormat.labels", context);
                break;
            case ProviderKind.EnvoyFileAccessLog:
                Text(provider.EnvoyFileAccessLog.LogFormat?.Text, $"{path}.envoyFileAccessLog.logFormat.text", context);
                Json(provider.EnvoyFileAccessLog.LogFormat?.Labels, $"{path}.envoyFileAccessLog.logFormat.labels", context);
                break;
        }
    }

    /// <summary>The same of what stands beside the providers.</summary>
    public static void Validate(MeshConfig config, ValidationContext context)
    {
        if (config.AccessLogEncoding == MeshConfig.Types.AccessLogEncoding.Text)
        {
            Text(config.AccessLogFormat, "accessLogFormat", context);
        }
        else if (config.AccessLogFormat.Length > 0)
        {
            try
            {
                Json(JsonParser.Default.Parse<Struct>(config.AccessLogFormat), "accessLogFormat", context);
            }
            catch (Exception e) when (e is InvalidProtocolBufferException or InvalidJsonException)
            {
                context.Error("accessLogFormat", "must be a JSON object beside accessLogEncoding: JSON.");
            }
        }

        if (config.EnableEnvoyAccessLogService && config.DefaultConfig?.EnvoyAccessLogService is not { Address.Length: > 0 })
        {
            context.Error("enableEnvoyAccessLogService", "needs to know where the service is: write defaultConfig.envoyAccessLogService.address, such as als.example.com:9090.");
        }

        if (config.DefaultConfig is { } defaults)
        {
            ProxyConfigValidator.Validate(defaults, "defaultConfig.", context);
        }
    }

    private static void Otel(OtelProvider provider, string path, ValidationContext context)
    {
        Service(provider.Service, provider.Port, path, context);
        if (provider.Http is not null && provider.Grpc is not null)
        {
            context.Error(path, "cannot specify both grpc and http: keep one.");
        }

        FieldRules.AtLeastAMillisecond(provider.Http?.Timeout, $"{path}.http.timeout", context);
        FieldRules.AtLeastAMillisecond(provider.Grpc?.Timeout, $"{path}.grpc.timeout", context);
        Headers(provider.Http?.Headers ?? [], $"{path}.http.headers", context);
        Headers(provider.Grpc?.InitialMetadata ?? [], $"{path}.grpc.initialMetadata", context);
        if (provider.Http is { Path: var to } && to.Any(c => c is <= ' ' or '\x7f'))
        {
            context.Error($"{path}.http.path", $"\"{to}\" is not a path, such as /v1/traces.");
        }
    }

    /// <summary>The name by which a service of the mesh is found.</summary>
    public static void Service(string service, uint port, string path, ValidationContext context)
    {
        var host = service[(service.IndexOf('/', StringComparison.Ordinal) + 1)..];
        if (host.Length == 0 || host.Contains('/', StringComparison.Ordinal) || !host.Split('.').All(label => DnsName.IsLowerLabel(label)))
        {
            context.Error($"{path}.service", $"\"{service}\" must be the full name of a service, such as zipkin.istio-system.svc.cluster.local or istio-system/zipkin.example.com.");
        }

        FieldRules.Port(port, $"{path}.port", context);
    }

    private static void Headers(IReadOnlyList<HttpHeader> headers, string path, ValidationContext context)
    {
        for (var i = 0; i < headers.Count; i++)
        {
            if (!FieldRules.IsHeaderName(headers[i].Name))
            {
                context.Error($"{path}[{i}].name", $"\"{headers[i].Name}\" is not the name of a header.");
            }

            if (headers[i].Value.Any(c => c is < ' ' or '\x7f'))
            {
                context.Error($"{path}[{i}].value", "must not contain control characters.");
            }
        }
    }

    private static void Text(string? format, string path, ValidationContext context)
    {
        if (format is { Length: > 0 } && HeaderFormat.Problem(format) is { } problem)
        {
            context.Error(path, problem);
        }
    }

    private static void Json(Struct? format, string path, ValidationContext context)
    {
        foreach (var (name, value) in format?.Fields ?? [])
        {
            var at = Yaml.YamlPath.Append(path, name);
            if (value.KindCase == Value.KindOneofCase.StructValue)
            {
                Json(value.StructValue, at, context);
            }
            else
            {
                Text(value.StringValue, at, context);
            }
        }
    }
}
