using Envoy.Config.Core.V3;
using Envoy.Config.Trace.V3;
using Envoy.Extensions.Tracers.Opentelemetry.ResourceDetectors.V3;
using Envoy.Extensions.Tracers.Opentelemetry.Samplers.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Calls;
using Mesh.DataPlane.Headers;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Upstream;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Telemetry.Tracing;

/// <summary>Compiles <c>tracing.provider</c>. A provider that is not there would lose every span: it is refused.</summary>
internal static class TraceProviderCompiler
{
    // Envoy's, for a batch of spans.
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(5);

    /// <returns><see langword="null"/> where none is named.</returns>
    public static TraceProvider? Compile(Envoy.Config.Trace.V3.Tracing.Types.Http? provider, string path, ICollection<string> notes)
    {
        if (provider?.TypedConfig is not { } config)
        {
            return provider is null ? null : throw new ResourceRejectedException(path + ".typed_config", "must be set");
        }

        path += ".typed_config";
        return config.Is(ZipkinConfig.Descriptor) ? Zipkin(config, WireMessage.Parse(ZipkinConfig.Parser, config.Value, path), path, notes)
            : config.Is(OpenTelemetryConfig.Descriptor) ? OpenTelemetry(config, WireMessage.Parse(OpenTelemetryConfig.Parser, config.Value, path), path, notes)
            : throw new ResourceRejectedException(path, $"{config.TypeUrl} is not supported: use envoy.config.trace.v3.ZipkinConfig or envoy.config.trace.v3.OpenTelemetryConfig");
    }

    private static TraceProvider.Zipkin Zipkin(Any config, ZipkinConfig message, string path, ICollection<string> notes)
    {
        foreach (var note in WireMessage.Validate(message, config.Value, ZipkinConfig.Parser, path))
        {
            notes.Add(note);
        }

        if (message.SharedSpanContext == true)
        {
            notes.Add($"{path}.shared_span_context is not applied: the spans of both ends have ids of their own");
        }

        if (message.TimestampTraceIds)
        {
            notes.Add($"{path}.timestamp_trace_ids is not applied: trace ids are random");
        }

#pragma warning disable CS0612 // Told, as whatever is not applied.
        if (message.SplitSpansForRequest)
        {
            notes.Add($"{path}.split_spans_for_request is not applied: it is so in any case");
        }
#pragma warning restore CS0612
        if (message.CollectorEndpointVersion is ZipkinConfig.Types.CollectorEndpointVersion.HttpProto or ZipkinConfig.Types.CollectorEndpointVersion.Grpc)
        {
            notes.Add($"{path}.collector_endpoint_version is not applied: spans are sent as JSON, which every Zipkin collector takes");
        }

        var formats = message.TraceContextOption == ZipkinConfig.Types.TraceContextOption.UseB3WithW3CPropagation;
        if (message.CollectorService is { } service)
        {
            var (target, uri) = Http(service, path + ".collector_service");
            return new TraceProvider.Zipkin(config.ToByteString()) { Target = target, Uri = uri, Headers = Headers(service, path + ".collector_service", notes), WritesW3C = formats };
        }

        if (message.CollectorCluster.Length == 0)
        {
            throw new ResourceRejectedException(path + ".collector_cluster", "must be set, or collector_service");
        }

        if (message.CollectorEndpoint.Length == 0 || message.CollectorEndpoint[0] != '/' || RequestTarget.BreaksRequestLine(message.CollectorEndpoint))
        {
            throw new ResourceRejectedException(path + ".collector_endpoint", $"'{message.CollectorEndpoint}' is no path, such as /api/v2/spans");
        }

        var authority = message.CollectorHostname.Length > 0 ? message.CollectorHostname : ClusterAuthority.Of(message.CollectorCluster);
        if (!RequestTarget.IsAuthority(authority) || !System.Uri.TryCreate($"http://{authority}{message.CollectorEndpoint}", UriKind.Absolute, out var address))
        {
            throw new ResourceRejectedException(path + ".collector_hostname", $"'{message.CollectorHostname}' is no host");
        }

        return new TraceProvider.Zipkin(config.ToByteString()) { Target = new ClusterTarget(message.CollectorCluster, DefaultTimeout), Uri = address, WritesW3C = formats };
    }

    private static TraceProvider.OpenTelemetry OpenTelemetry(Any config, OpenTelemetryConfig message, string path, ICollection<string> notes)
    {
        foreach (var note in WireMessage.Validate(message, config.Value, OpenTelemetryConfig.Parser, path))
        {
            notes.Add(note);
        }

        if (message.MaxCacheSize is not null)
        {
            notes.Add($"{path}.max_cache_size is not applied: the queue of spans is bounded by this process");
        }

        var provider = (message.GrpcService, message.HttpService) switch
        {
            ({ } grpc, null) => new TraceProvider.OpenTelemetry(config.ToByteString())
            {
                Target = CallCompiler.Grpc(grpc, path + ".grpc_service", DefaultTimeout, notes),
                Headers = Metadata(grpc, path + ".grpc_service", notes),
            },
            (null, { } http) when Http(http, path + ".http_service") is var (target, uri) => new TraceProvider.OpenTelemetry(config.ToByteString())
            {
                Target = target,
                Uri = uri,
                Headers = Headers(http, path + ".http_service", notes),
            },
            _ => throw new ResourceRejectedException(path, "one of grpc_service and http_service must be set"),
        };
        return provider with
        {
            ServiceName = message.ServiceName,
            Sampler = Sampler(message.Sampler, path + ".sampler", notes),
            Resource = Resource(message, path + ".resource_detectors", notes),
            NamesService = message.SetServiceNameResourceAttribute ?? true,
            NamesLibrary = message.SetTelemetrySdkResourceAttributes ?? true,
        };
    }

    private static (ClusterTarget Target, Uri Uri) Http(HttpService service, string path)
    {
        var (uri, timeout) = CallCompiler.Uri(service.HttpUri ?? throw new ResourceRejectedException(path + ".http_uri", "must be set"), path + ".http_uri");
        return (new ClusterTarget(service.HttpUri.Cluster, timeout), uri);
    }

    private static HeaderAddition[] Headers(HttpService service, string path, ICollection<string> notes)
    {
        if (service.Formatters.Count > 0)
        {
            notes.Add($"{path}.formatters are not applied");
        }

        return [.. service.RequestHeadersToAdd.Select((header, i) => HeaderMutationsCompiler.Addition(header, $"{path}.request_headers_to_add[{i}]", notes))];
    }

    private static HeaderAddition[] Metadata(GrpcService service, string path, ICollection<string> notes)
        => [.. service.InitialMetadata.Select((header, i) => HeaderMutationsCompiler.Addition(new HeaderValueOption { Header = header }, $"{path}.initial_metadata[{i}]", notes))];

    private static TraceSampler? Sampler(TypedExtensionConfig? extension, string path, ICollection<string> notes)
    {
        if (extension is null)
        {
            return null;
        }

        path += ".typed_config";
        var config = extension.TypedConfig ?? throw new ResourceRejectedException(path, "must be set");
        if (config.Is(AlwaysOnSamplerConfig.Descriptor))
        {
            return new TraceSampler.AlwaysOn();
        }

        if (config.Is(ParentBasedSamplerConfig.Descriptor))
        {
            var wrapped = WireMessage.Parse(ParentBasedSamplerConfig.Parser, config.Value, path).WrappedSampler;
            return new TraceSampler.ParentBased(Sampler(wrapped, path + ".wrapped_sampler", notes) ?? throw new ResourceRejectedException(path + ".wrapped_sampler", "must be set"));
        }

        if (config.Is(TraceIdRatioBasedSamplerConfig.Descriptor))
        {
            var share = WireMessage.Parse(TraceIdRatioBasedSamplerConfig.Parser, config.Value, path).SamplingPercentage;
            return new TraceSampler.TraceIdRatio(MatcherCompiler.Fraction(share ?? new(), path + ".sampling_percentage"));
        }

        throw new ResourceRejectedException(path, $"{config.TypeUrl} is not supported: use the always-on, parent-based or ratio sampler");
    }

    private static Dictionary<string, string> Resource(OpenTelemetryConfig message, string path, ICollection<string> notes)
    {
        var attributes = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < message.ResourceDetectors.Count; i++)
        {
            var at = $"{path}[{i}].typed_config";
            var config = message.ResourceDetectors[i].TypedConfig ?? throw new ResourceRejectedException(at, "must be set");
            if (config.Is(StaticConfigResourceDetectorConfig.Descriptor))
            {
                foreach (var (name, value) in WireMessage.Parse(StaticConfigResourceDetectorConfig.Parser, config.Value, at).Attributes)
                {
                    attributes[name] = value;
                }
            }
            else if (config.Is(EnvironmentResourceDetectorConfig.Descriptor))
            {
                // What OTEL_RESOURCE_ATTRIBUTES is there for: the process says it of itself to whoever gets its spans.
                foreach (var (name, value) in ResourceAttributes.OfEnvironment(Environment.GetEnvironmentVariable("OTEL_RESOURCE_ATTRIBUTES")))
                {
                    attributes[name] = value;
                }
            }
            else
            {
                notes.Add($"{at}: {config.TypeUrl} is not known, and finds nothing");
            }
        }

        return attributes;
    }
}
