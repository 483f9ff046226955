using Istio.Mesh.V1Alpha1;
using Mesh.ControlPlane.Generators.Signals;
using Mesh.ControlPlane.Model;
using ExtensionProvider = Istio.Mesh.V1Alpha1.MeshConfig.Types.ExtensionProvider;
using ProviderKind = Istio.Mesh.V1Alpha1.MeshConfig.Types.ExtensionProvider.ProviderOneofCase;

namespace Mesh.ControlPlane.Generators.Inbound;

/// <summary>The external authorizers that a MeshConfig declares, and the clusters by which they are asked.</summary>
internal static class ExtAuthzProviders
{
    /// <summary>The provider of a name; <see langword="null"/> when none of that name is an external authorizer.</summary>
    public static ExtensionProvider? Find(MeshConfig config, string name)
        => config.ExtensionProviders.FirstOrDefault(p => p.Name == name && p.ProviderCase is ProviderKind.EnvoyExtAuthzHttp or ProviderKind.EnvoyExtAuthzGrpc);

    /// <summary>The service that a provider is; <see langword="null"/> when there is none, or it is not for this workload to see.</summary>
    public static MeshService? ServiceOf(Proxy proxy, ConfigIndex config, ExtensionProvider provider)
    {
        var (service, port) = AddressOf(provider);
        return Collectors.ServiceOf(proxy.Namespace, config, service, port);
    }

    /// <summary>The cluster by which a provider's service is asked.</summary>
    public static SubsetKey KeyOf(ExtensionProvider provider, MeshService service) => new(AddressOf(provider).Port, "", service.Host);

    private static (string Service, uint Port) AddressOf(ExtensionProvider provider)
        => provider.EnvoyExtAuthzGrpc is { } grpc ? (grpc.Service, grpc.Port) : (provider.EnvoyExtAuthzHttp.Service, provider.EnvoyExtAuthzHttp.Port);
}
