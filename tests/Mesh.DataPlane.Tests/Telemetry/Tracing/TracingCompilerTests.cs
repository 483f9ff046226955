using Envoy.Config.Core.V3;
using Envoy.Config.Trace.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Envoy.Extensions.Tracers.Opentelemetry.Samplers.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Telemetry.Tracing;
using Mesh.Xds.Client;
using Shouldly;
using HcmTracing = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.Types.Tracing;

namespace Mesh.DataPlane.Tests.Telemetry.Tracing;

public sealed class TracingCompilerTests
{
    private readonly List<string> _notes = [];

    [Fact]
    public void Without_a_word_ids_are_made_and_nothing_is_traced()
    {
        var settings = TracingCompiler.Compile(new HttpConnectionManager(), "hcm", _notes);

        settings.ShouldBe(TracingSettings.Default);
        settings.Sampling.ShouldBeNull();
        settings.RequestIds.ShouldBe(new RequestIdRules(Generates: true, TellsReason: true, DecidesSampling: true));
    }

    [Fact]
    public void Rates_are_hundredths_of_a_percent_and_all_where_nothing_is_said()
        => Compile(new HcmTracing { RandomSampling = new() { Value = 0.05 }, OverallSampling = new() { Value = 33.333 } })
            .Sampling.ShouldBe(new TraceSampling(10_000, 5, 3_333));

    [Fact]
    public void Zipkin_is_told_by_B3()
    {
        var provider = Compile(new HcmTracing { Provider = Provider(new ZipkinConfig { CollectorCluster = "outbound|9411||zipkin.istio-system.svc.cluster.local", CollectorEndpoint = "/api/v2/spans" }) })
            .Provider.ShouldBeOfType<TraceProvider.Zipkin>();

        provider.Formats.ShouldBe(ContextFormats.B3);
        provider.Target.Cluster.ShouldBe("outbound|9411||zipkin.istio-system.svc.cluster.local");
        provider.Uri!.AbsolutePath.ShouldBe("/api/v2/spans");
    }

    [Fact]
    public void Zipkin_with_W3C_is_told_by_both()
        => Compile(new HcmTracing
        {
            Provider = Provider(new ZipkinConfig { CollectorCluster = "z", CollectorEndpoint = "/", TraceContextOption = ZipkinConfig.Types.TraceContextOption.UseB3WithW3CPropagation }),
        }).Provider!.Formats.ShouldBe(ContextFormats.B3 | ContextFormats.W3C);

    [Fact]
    public void OpenTelemetry_is_told_by_W3C_and_has_its_samplers()
    {
        var provider = Compile(new HcmTracing
        {
            Provider = Provider(new OpenTelemetryConfig
            {
                GrpcService = new() { EnvoyGrpc = new() { ClusterName = "otel" } },
                ServiceName = "books",
                Sampler = Extension(new ParentBasedSamplerConfig { WrappedSampler = Extension(new AlwaysOnSamplerConfig()) }),
            }),
        }).Provider.ShouldBeOfType<TraceProvider.OpenTelemetry>();

        provider.Formats.ShouldBe(ContextFormats.W3C);
        provider.Uri.ShouldBeNull();
        provider.ServiceName.ShouldBe("books");
        provider.Sampler.ShouldBe(new TraceSampler.ParentBased(new TraceSampler.AlwaysOn()));
    }

    [Fact]
    public void A_collector_may_be_written_without_a_scheme_as_Istio_does()
        => Compile(new HcmTracing
        {
            Provider = Provider(new OpenTelemetryConfig
            {
                HttpService = new() { HttpUri = new() { Uri = "otel.example:4318/v1/traces", Cluster = "otel", Timeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(1)) } },
            }),
        }).Provider!.Uri.ShouldBe(new Uri("http://otel.example:4318/v1/traces"));

    [Fact]
    public void Listeners_that_name_the_same_collector_share_its_key()
    {
        HcmTracing Tracing(string name) => new() { Provider = Provider(new ZipkinConfig { CollectorCluster = name, CollectorEndpoint = "/" }) };

        Compile(Tracing("a")).Provider!.Key.ShouldBe(Compile(Tracing("a")).Provider!.Key);
        Compile(Tracing("a")).Provider!.Key.ShouldNotBe(Compile(Tracing("b")).Provider!.Key);
    }

    [Fact]
    public void A_provider_that_is_not_there_is_refused()
        => Should.Throw<ResourceRejectedException>(() => Compile(new HcmTracing { Provider = Provider(new AlwaysOnSamplerConfig()) })).Message.ShouldContain("hcm.tracing.provider.typed_config");

    [Theory]
    [InlineData("", "/")]
    [InlineData("z", "")]
    [InlineData("z", "api")]
    [InlineData("z", "/a b")]
    public void A_collector_that_nobody_finds_is_refused(string cluster, string endpoint)
        => Should.Throw<ResourceRejectedException>(() => Compile(new HcmTracing { Provider = Provider(new ZipkinConfig { CollectorCluster = cluster, CollectorEndpoint = endpoint }) }));

    [Fact]
    public void Tags_have_values_of_headers_and_formats_and_their_own()
    {
        var tags = Compile(new HcmTracing
        {
            CustomTags =
            {
                new Envoy.Type.Tracing.V3.CustomTag { Tag = "l", Literal = new() { Value = "v" } },
                new Envoy.Type.Tracing.V3.CustomTag { Tag = "h", RequestHeader = new() { Name = "X-User", DefaultValue = "nobody" } },
                new Envoy.Type.Tracing.V3.CustomTag { Tag = "f", Value = "%REQ(:METHOD)%" },
                new Envoy.Type.Tracing.V3.CustomTag { Tag = "e", Environment = new() { Name = "PATH", DefaultValue = "none" } },
            },
        }).CustomTags;

        tags.Select(tag => (tag.Name, tag.Header?.Value, tag.Format?.Text, tag.Default)).ShouldBe(
            [("l", null, null, "v"), ("h", "x-user", null, "nobody"), ("f", null, "%REQ(:METHOD)%", ""), ("e", null, null, "none")]);
        _notes.ShouldHaveSingleItem().ShouldContain("custom_tags[3].environment");
    }

    [Fact]
    public void A_tag_with_a_format_that_is_none_is_refused()
        => Should.Throw<ResourceRejectedException>(() => Compile(new HcmTracing { CustomTags = { new Envoy.Type.Tracing.V3.CustomTag { Tag = "f", Value = "%ENVIRONMENT(PATH)%" } } }))
            .Message.ShouldContain("custom_tags[0].value");

    [Fact]
    public void The_extension_for_request_ids_says_what_they_are_good_for()
    {
        // pack_trace_reason: false, use_request_id_for_trace_sampling: true
        var manager = new HttpConnectionManager
        {
            RequestIdExtension = new() { TypedConfig = new Any { TypeUrl = "type.googleapis.com/envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig", Value = ByteString.CopyFrom(0x0A, 0x00, 0x12, 0x02, 0x08, 0x01) } },
            GenerateRequestId = false,
        };

        TracingCompiler.Compile(manager, "hcm", _notes).RequestIds.ShouldBe(new RequestIdRules(Generates: false, TellsReason: false, DecidesSampling: true));

        manager.RequestIdExtension.TypedConfig.TypeUrl = "type.googleapis.com/other";
        Should.Throw<ResourceRejectedException>(() => TracingCompiler.Compile(manager, "hcm", _notes));
    }

    private TracingSettings Compile(HcmTracing tracing) => TracingCompiler.Compile(new HttpConnectionManager { Tracing = tracing }, "hcm", _notes);

    private static Envoy.Config.Trace.V3.Tracing.Types.Http Provider(IMessage config) => new() { Name = "tracer", TypedConfig = Any.Pack(config) };

    private static TypedExtensionConfig Extension(IMessage config) => new() { Name = "sampler", TypedConfig = Any.Pack(config) };
}
