using Envoy.Type.V3;
using Istio.Mesh.V1Alpha1;
using Mesh.ControlPlane.Model;
using Mesh.ControlPlane.Model.Signals;
using ExtensionProvider = Istio.Mesh.V1Alpha1.MeshConfig.Types.ExtensionProvider;
using HcmTracing = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.Types.Tracing;
using ProviderKind = Istio.Mesh.V1Alpha1.MeshConfig.Types.ExtensionProvider.ProviderOneofCase;
using Tracing = Istio.Mesh.V1Alpha1.Tracing;

namespace Mesh.ControlPlane.Generators.Signals;

/// <summary>How requests are traced, as a connection manager's <c>tracing</c> in Istio's shape.</summary>
internal sealed class TracingTranslator(Proxy proxy, MeshSettings mesh, WorkloadProxyConfig own, Collectors collectors, bool hasTrials)
{
    /// <summary>Istio's (<c>PILOT_TRACE_SAMPLING</c>).</summary>
    private const double DefaultSampling = 1;

    private const double Always = 100;

    private readonly TracerTranslator _tracers = new(proxy, own, collectors);

    /// <param name="choice">What Telemetry documents say; <see langword="null"/>: nothing.</param>
    /// <returns><see langword="null"/> when nothing is said at all: the process does what it does by itself.</returns>
    public HcmTracing? Translate(TracingChoice? choice)
    {
        if (choice is null)
        {
            return OfMesh();
        }

        if (choice.IsDisabled)
        {
            return Off();
        }

        // Spans without a provider are the application's own to export: a document may speak of sampling and tags alone.
        var provider = choice.Provider is { } name ? mesh.Providers.Find(name) : null;
        var tracing = new HcmTracing { Provider = provider is null ? null : _tracers.Of(provider) };
        if (provider is not null && MaxTagLength(provider) is > 0 and var length)
        {
            tracing.MaxPathTagLength = length;
        }

        Complete(tracing, choice.RandomSamplingPercentage ?? DefaultSamplingOf(own.Tracing));
        tracing.CustomTags.AddRange(CustomTags.Of(proxy, mesh, own, choice.HasIstioTags, hasTrials, choice.CustomTags.Count > 0 ? CustomTags.Of(choice.CustomTags, own) : CustomTags.Of(own.Tracing?.CustomTags, own)));
        tracing.NoContextPropagation = choice.DisablesPropagation;
        return tracing;
    }

    /// <summary>What the MeshConfig, ProxyConfig documents and the workload's annotation say by themselves.</summary>
    private HcmTracing? OfMesh()
    {
        var settings = own.Tracing;
        var zipkin = own.ZipkinAddress;
        if (mesh.EnableTracing == false)
        {
            return Off();
        }

        if (mesh.EnableTracing is null && settings is null && zipkin.Length == 0)
        {
            return null;
        }

        var tracing = new HcmTracing { Provider = zipkin.Length > 0 ? _tracers.OfZipkin(zipkin) : null };
        Complete(tracing, DefaultSamplingOf(settings));
        tracing.CustomTags.AddRange(CustomTags.Of(proxy, mesh, own, settings?.EnableIstioTags ?? true, hasTrials, CustomTags.Of(settings?.CustomTags, own)));
        return tracing;
    }

    /// <summary>
    /// No request is traced, whatever it brings. Istio leaves <c>tracing</c> out; to a process that means that nobody has said anything, and what listens
    /// to its spans in it decides.
    /// </summary>
    private static HcmTracing Off() => new() { ClientSampling = Of(0), RandomSampling = Of(0), OverallSampling = Of(0) };

    private void Complete(HcmTracing tracing, double sampling)
    {
        tracing.ClientSampling = Of(Always);
        tracing.RandomSampling = Of(sampling);
        tracing.OverallSampling = Of(Always);
        if (tracing.MaxPathTagLength is null && own.Tracing is { MaxPathTagLength: > 0 } settings)
        {
            tracing.MaxPathTagLength = settings.MaxPathTagLength;
        }
    }

    private static double DefaultSamplingOf(Tracing? settings) => settings?.Sampling switch
    {
        null or 0 => DefaultSampling,
        // As Istio reads what is none.
        > Always => DefaultSampling,
        var sampling => sampling.Value,
    };

    public static bool IsOfTracing(ExtensionProvider provider) => provider.ProviderCase is ProviderKind.Zipkin or ProviderKind.Opentelemetry;

    private static uint MaxTagLength(ExtensionProvider provider) => provider.ProviderCase switch
    {
        ProviderKind.Zipkin => provider.Zipkin.MaxTagLength,
        ProviderKind.Opentelemetry => provider.Opentelemetry.MaxTagLength,
        _ => 0,
    };

    private static Percent Of(double value) => new() { Value = value };
}
