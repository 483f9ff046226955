using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Server.Connections;

/// <summary>Tells the ports on which the application speaks TLS by itself.</summary>
internal sealed class ServerSchemes(IServiceProvider services)
{
    private IServerAddressesFeature? _addresses;

    /// <summary>Whether the application has TLS of its own on a port; so it is taken while that is not known yet.</summary>
    public bool IsHttps(int port)
    {
        var addresses = (_addresses ??= services.GetService<IServer>()?.Features.Get<IServerAddressesFeature>())?.Addresses;
        var isKnown = false;
        foreach (var text in addresses?.ToArray() ?? [])
        {
            var address = BindingAddress.Parse(text);
            if (address.Port == port)
            {
                isKnown = true;
                if (address.Scheme.Equals(Uri.UriSchemeHttps, StringComparison.OrdinalIgnoreCase))
                {
                    return true;
                }
            }
        }

        return !isKnown;
    }
}
