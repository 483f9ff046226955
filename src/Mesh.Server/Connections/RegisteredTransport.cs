using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Server.Connections;

/// <summary>The transport that would bind the server's ports if the mesh did not.</summary>
/// <param name="services">What is registered when the container is built.</param>
internal sealed class RegisteredTransport(IServiceCollection services)
{
    public IConnectionListenerFactory Create(IServiceProvider provider)
    {
        // The last one is asked first.
        foreach (var descriptor in services.Reverse())
        {
            if (descriptor.ServiceType == typeof(IConnectionListenerFactory)
                && !descriptor.IsKeyedService
                && descriptor.ImplementationFactory != MeshFactory
                && Create(descriptor, provider) is var factory
                && CanBindPorts(factory))
            {
                return factory;
            }
        }

        return ActivatorUtilities.CreateInstance<SocketTransportFactory>(provider);
    }

    /// <summary>How the mesh's own is made, by which it is told from the others.</summary>
    public static Func<IServiceProvider, object> MeshFactory { get; } = provider => provider.GetRequiredService<MeshListenerFactory>();

    /// <summary>Whether a factory binds TCP ports.</summary>
    public static bool CanBindPorts(IConnectionListenerFactory factory)
        => factory is not IConnectionListenerFactorySelector selector || selector.CanBind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));

    private static IConnectionListenerFactory Create(ServiceDescriptor descriptor, IServiceProvider provider)
        => (IConnectionListenerFactory)(descriptor.ImplementationInstance
            ?? descriptor.ImplementationFactory?.Invoke(provider)
            ?? ActivatorUtilities.CreateInstance(provider, descriptor.ImplementationType!));
}
