using System.Net.Sockets;

namespace Mesh.DataPlane.Dns;

/// <summary>The operating system's resolver, where there is no <c>resolv.conf</c> to go by: it does not tell how long an answer holds.</summary>
internal sealed class SystemResolver : IDnsResolver
{
    public async ValueTask<DnsResolution> ResolveAsync(DnsQuery query, CancellationToken cancellationToken)
    {
        try
        {
            switch (query.Family)
            {
                case DnsLookupFamily.V4Only:
                    return await AskAsync(AddressFamily.InterNetwork).ConfigureAwait(false);
                case DnsLookupFamily.V6Only:
                    return await AskAsync(AddressFamily.InterNetworkV6).ConfigureAwait(false);
                case DnsLookupFamily.Auto:
                    var v6 = await AskAsync(AddressFamily.InterNetworkV6).ConfigureAwait(false);
                    return v6.Addresses.Count > 0 ? v6 : await AskAsync(AddressFamily.InterNetwork).ConfigureAwait(false);
                case DnsLookupFamily.V4Preferred:
                    var v4 = await AskAsync(AddressFamily.InterNetwork).ConfigureAwait(false);
                    return v4.Addresses.Count > 0 ? v4 : await AskAsync(AddressFamily.InterNetworkV6).ConfigureAwait(false);
                default:
                    return await AskAsync(AddressFamily.Unspecified).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            return DnsResolution.Failed($"{query.Host}: {e.Message}");
        }

        async ValueTask<DnsResolution> AskAsync(AddressFamily family)
        {
            try
            {
                OwnConnections.Mark();
                return DnsResolution.Of(await System.Net.Dns.GetHostAddressesAsync(query.Host, family, cancellationToken).ConfigureAwait(false));
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.HostNotFound or SocketError.NoData)
            {
                return DnsResolution.Of([]);
            }
        }
    }
}
