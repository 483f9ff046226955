using Envoy.Config.Core.V3;
using Envoy.Config.Trace.V3;
using Envoy.Extensions.Tracers.Opentelemetry.ResourceDetectors.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.ControlPlane.Model;
using ExtensionProvider = Istio.Mesh.V1Alpha1.MeshConfig.Types.ExtensionProvider;
using HttpHeader = Istio.Mesh.V1Alpha1.MeshConfig.Types.ExtensionProvider.Types.HttpHeader;
using OtelProvider = Istio.Mesh.V1Alpha1.MeshConfig.Types.ExtensionProvider.Types.OpenTelemetryTracingProvider;
using ProviderKind = Istio.Mesh.V1Alpha1.MeshConfig.Types.ExtensionProvider.ProviderOneofCase;
using TraceContext = Istio.Mesh.V1Alpha1.MeshConfig.Types.ExtensionProvider.Types.ZipkinTracingProvider.Types.TraceContextOption;
using ZipkinProvider = Istio.Mesh.V1Alpha1.MeshConfig.Types.ExtensionProvider.Types.ZipkinTracingProvider;
using HeaderAction = Envoy.Config.Core.V3.HeaderValueOption.Types.HeaderAppendAction;
using Http = Envoy.Config.Trace.V3.Tracing.Types.Http;

namespace Mesh.ControlPlane.Generators.Signals;

/// <summary>Providers of tracing as Envoy's tracers, in the shapes that Istio sends to its newest proxies.</summary>
internal sealed class TracerTranslator(Proxy proxy, WorkloadProxyConfig own, Collectors collectors)
{
    private const string Zipkin = "envoy.tracers.zipkin";
    private const string Otel = "envoy.tracers.opentelemetry";
    private const string EnvironmentDetector = "envoy.tracers.opentelemetry.resource_detectors.environment";
    private const string SpansPath = "/api/v2/spans";

    private static readonly Duration DefaultTimeout = new() { Seconds = 5 };

    /// <returns>The tracer, or <see langword="null"/> when spans cannot be sent there: it is no tracing provider, or no service has its host.</returns>
    public Http? Of(ExtensionProvider provider) => provider.ProviderCase switch
    {
        ProviderKind.Zipkin when collectors.Find(provider.Zipkin.Service, provider.Zipkin.Port) is { } collector => OfZipkin(collector, provider.Zipkin),
        ProviderKind.Opentelemetry when collectors.Find(provider.Opentelemetry.Service, provider.Opentelemetry.Port) is { } collector => OfOtel(collector, provider.Opentelemetry),
        _ => null,
    };

    /// <summary>The collector of a ProxyConfig's <c>tracing.zipkin</c>, as Istio's bootstrap has it.</summary>
    public Http? OfZipkin(string address) => collectors.OfAddress(address) is { } collector ? OfZipkin(collector, new ZipkinProvider()) : null;

    private static Http OfZipkin(Collector collector, ZipkinProvider provider)
    {
        var path = provider.Path.Length > 0 ? provider.Path : SpansPath;
        var service = new HttpService
        {
            HttpUri = new HttpUri
            {
                Uri = $"http://{HostOf(collector)}{(path.StartsWith('/') ? "" : "/")}{path}",
                Cluster = collector.Cluster.ToString(),
                Timeout = provider.Timeout ?? DefaultTimeout,
            },
            RequestHeadersToAdd = { Headers(provider.Headers) },
        };
        return Tracer(Zipkin, new ZipkinConfig
        {
            CollectorEndpointVersion = ZipkinConfig.Types.CollectorEndpointVersion.HttpJson,
            TraceId128Bit = !provider.Enable64BitTraceId,
            SharedSpanContext = false,
            CollectorService = service,
            TraceContextOption = provider.TraceContextOption == TraceContext.UseB3WithW3CPropagation
                ? ZipkinConfig.Types.TraceContextOption.UseB3WithW3CPropagation
                : ZipkinConfig.Types.TraceContextOption.UseB3,
        });
    }

    private Http OfOtel(Collector collector, OtelProvider provider)
    {
        var isSemantic = provider.ServiceAttributeEnrichment == ExtensionProvider.Types.ServiceAttributeEnrichment.OtelSemanticConventions;
        var config = new OpenTelemetryConfig { ServiceName = isSemantic ? ServiceNames.OfConventions(proxy) : ServiceNames.Of(proxy, own) };
        if (provider.Http is { } http)
        {
            config.HttpService = new HttpService
            {
                // Istio writes no scheme: host and path are all that is taken of it.
                HttpUri = new HttpUri { Uri = $"{HostOf(collector)}/{http.Path.TrimStart('/')}", Cluster = collector.Cluster.ToString(), Timeout = http.Timeout ?? DefaultTimeout },
                RequestHeadersToAdd = { Headers(http.Headers) },
            };
        }
        else
        {
            config.GrpcService = new GrpcService
            {
                EnvoyGrpc = new GrpcService.Types.EnvoyGrpc { ClusterName = collector.Cluster.ToString(), Authority = HostOf(collector) },
                Timeout = provider.Grpc?.Timeout,
                InitialMetadata = { provider.Grpc?.InitialMetadata.Select(Header) ?? [] },
            };
        }

        if (isSemantic || provider.ResourceDetectors?.Environment is not null)
        {
            config.ResourceDetectors.Add(new TypedExtensionConfig { Name = EnvironmentDetector, TypedConfig = Any.Pack(new EnvironmentResourceDetectorConfig()) });
        }

        return Tracer(Otel, config);
    }

    private static string HostOf(Collector collector) => collector.Host.Contains(':', StringComparison.Ordinal) ? $"[{collector.Host}]" : collector.Host;

    private static Http Tracer(string name, IMessage config) => new() { Name = name, TypedConfig = Any.Pack(config) };

    private static IEnumerable<HeaderValueOption> Headers(IEnumerable<HttpHeader> headers)
        => headers.Select(header => new HeaderValueOption { Header = Header(header), AppendAction = HeaderAction.OverwriteIfExistsOrAdd });

    /// <summary>A value may be kept out of the documents: it is then in the control plane's environment, as with Istio.</summary>
    private static HeaderValue Header(HttpHeader header) => new()
    {
        Key = header.Name,
        Value = header.HeaderValueCase == HttpHeader.HeaderValueOneofCase.EnvName ? Environment.GetEnvironmentVariable(header.EnvName) ?? "" : header.Value,
    };
}
