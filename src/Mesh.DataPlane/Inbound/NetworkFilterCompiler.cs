using Envoy.Config.Listener.V3;
using Envoy.Extensions.Filters.Network.ExtAuthz.V3;
using Mesh.DataPlane.Filters.ExtAuthz;
using Mesh.DataPlane.Filters.Rbac;
using Mesh.DataPlane.Telemetry;
using Mesh.Xds.Client;
using Rbac = Envoy.Extensions.Filters.Network.Rbac.V3.RBAC;

namespace Mesh.DataPlane.Inbound;

/// <summary>Compiles the filters of connections that stand before the one that ends a chain.</summary>
internal static class NetworkFilterCompiler
{
    /// <returns><see langword="null"/> for one that decides nothing.</returns>
    /// <exception cref="ResourceRejectedException">It is not known: what it decides would be left out.</exception>
    public static NetworkFilter? Compile(Filter message, string path, ICollection<string> notes)
    {
        if (message.TypedConfig is { } config && config.Is(Rbac.Descriptor))
        {
            return NetworkRbacCompiler.Compile(message.Name, config, path + ".typed_config", notes);
        }

        if (message.TypedConfig is { } asks && asks.Is(ExtAuthz.Descriptor))
        {
            return NetworkExtAuthzCompiler.Compile(message.Name, asks, path + ".typed_config", notes);
        }

        if (SignalFilters.IsOne(message.TypedConfig, path + ".typed_config"))
        {
            return null;
        }

        throw new ResourceRejectedException(path, $"'{message.Name}' ({message.TypedConfig?.TypeUrl ?? "no typed_config"}) is not supported, and what it decides would be left out");
    }
}
