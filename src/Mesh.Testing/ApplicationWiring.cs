using Mesh.DataPlane;
using Mesh.DataPlane.Configuration;
using Mesh.DataPlane.Dns;
using Mesh.DataPlane.Explaining;
using Mesh.DataPlane.Retry;
using Mesh.DataPlane.Transports;
using Mesh.Xds.Ads;
using Mesh.Xds.Serving;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Mesh.Testing;

/// <summary>Puts the parts of a mesh under test in place of an application's own.</summary>
internal sealed class ApplicationWiring(
    IAdsServer server,
    IEndpointTransportFactory transports,
    IDnsResolver dns,
    IRandomSource random,
    TimeProvider time,
    MeshDecisionLog decisions,
    EndpointDirectory endpoints,
    EngineRegistry engines) : IAsyncDisposable
{
    private readonly CancellationTokenSource _ended = new();

    public void Configure(IServiceCollection services)
    {
        // The application's own AddMesh() may come later: it finds the engine registered and adds only what it sets.
        services.AddMeshDataPlane(configure: null);
        services.Replace(ServiceDescriptor.Singleton<IAdsTransport>(_ => CreateTransport()));
        services.Replace(ServiceDescriptor.Singleton(transports));
        services.Replace(ServiceDescriptor.Singleton(dns));
        services.Replace(ServiceDescriptor.Singleton(random));
        services.Replace(ServiceDescriptor.Singleton(time));
        services.TryAddSingleton(new BackOffTime(TimeProvider.System));
        services.Replace(ServiceDescriptor.Singleton<IDecisionObserver>(
            provider => new DecisionRecorder(decisions, endpoints, time, SourceOf(provider.GetRequiredService<IOptions<MeshOptions>>().Value))));

        var engine = services.Last(s => s.ServiceType == typeof(MeshEngine)).ImplementationFactory!;
        services.Replace(ServiceDescriptor.Singleton(provider => engines.Add((MeshEngine)engine(provider))));
    }

    public async ValueTask DisposeAsync() => await _ended.CancelAsync().ConfigureAwait(false);

    private static string SourceOf(MeshOptions options) => options.Workload.EffectiveLabels().GetValueOrDefault("app") ?? "";

    private InProcessAdsTransport CreateTransport()
    {
        var transport = new InProcessAdsTransport(server, "the mesh under test");
        _ended.Token.Register(static transport => _ = ((InProcessAdsTransport)transport!).DisposeAsync().AsTask(), transport);
        return transport;
    }
}
