using System.Net;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Upstream;
using Mesh.Filters;

namespace Mesh.DataPlane.OriginalDst;

/// <summary>Finds the address that a request asks for: what metadata or a header name where the cluster allows it, else its URI, never its Host header.</summary>
internal static class RequestDestination
{
    /// <summary>The decision with the destination.</summary>
    /// <param name="destinations">Those of the cluster.</param>
    /// <param name="routed">Route and cluster.</param>
    /// <param name="request">The request as the route has made it: Envoy, too, reads the header after the route's own changes.</param>
    /// <param name="exchange">What the filters made of it; <see langword="null"/> when there were none.</param>
    /// <param name="cancellationToken">The caller's own.</param>
    public static ValueTask<Decision> OfAsync(
        OriginalDestinations destinations, in Decision routed, HttpRequestMessage request, HttpExchange? exchange, CancellationToken cancellationToken)
    {
        var key = KeyOf(destinations.Settings, routed.Cluster!.Stats, request, exchange);
        return destinations.Find(key) is { } known
            ? ValueTask.FromResult(routed with { Destination = known })
            : LocateAsync(destinations, routed, key, cancellationToken);
    }

    private static async ValueTask<Decision> LocateAsync(OriginalDestinations destinations, Decision routed, HostKey key, CancellationToken cancellationToken)
    {
        var located = await destinations.LocateAsync(key, cancellationToken).ConfigureAwait(false);
        return located is null && !destinations.IsDisposed
            ? routed with { Reply = LocalReply.TooManyDestinations }
            : routed with { Destination = located };
    }

    private static HostKey KeyOf(OriginalDestinationSettings settings, ClusterStats stats, HttpRequestMessage request, HttpExchange? exchange)
    {
        // As in Envoy what is no address counts for nothing: the request goes where it would have gone without.
        if (settings.Metadata is { } metadata && exchange is not null && metadata.Find(exchange) is { } left)
        {
            if (TryParse(left, settings, out var named))
            {
                return named;
            }

            stats.OriginalDestinationInvalid.Increment();
        }

        if (settings.Header is { } header && ValueOf(header, request) is { } value)
        {
            if (TryParse(value, settings, out var named))
            {
                return named;
            }

            stats.OriginalDestinationInvalid.Increment();
        }

        var uri = request.RequestUri!;
        return new HostKey(uri.IdnHost, settings.Port ?? uri.Port);
    }

    private static bool TryParse(string text, OriginalDestinationSettings settings, out HostKey key)
    {
        var isAddress = IPEndPoint.TryParse(text, out var address) && address.Port > 0;
        key = isAddress ? new HostKey(address!.Address.ToString(), settings.Port ?? address.Port) : default;
        return isAddress;
    }

    private static string? ValueOf(HeaderName header, HttpRequestMessage request)
        => header.Pseudo == PseudoHeader.Authority ? RequestTarget.AuthorityOf(request) : HttpRequestHeaderReader.Instance.First(request, header);
}
