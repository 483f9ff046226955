using Envoy.Config.Listener.V3;
using Mesh.DataPlane.Filters.Rbac;
using Mesh.Xds.Client;
using Rbac = Envoy.Extensions.Filters.Network.Rbac.V3.RBAC;

namespace Mesh.DataPlane.Inbound;

/// <summary>Compiles the filters of connections that stand before the one that ends a chain.</summary>
internal static class NetworkFilterCompiler
{
    /// <exception cref="ResourceRejectedException">It is not known: what it decides would be left out.</exception>
    public static NetworkFilter Compile(Filter message, string path, ICollection<string> notes)
    {
        if (message.TypedConfig is { } config && config.Is(Rbac.Descriptor))
        {
            return NetworkRbacCompiler.Compile(message.Name, config, path + ".typed_config", notes);
        }

        throw new ResourceRejectedException(path, $"'{message.Name}' ({message.TypedConfig?.TypeUrl ?? "no typed_config"}) is not supported, and what it decides would be left out");
    }
}
