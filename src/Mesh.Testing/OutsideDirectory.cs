using System.Collections.Concurrent;

namespace Mesh.Testing;

/// <summary>The world outside of a mesh under test: the hosts that the test has put there, and no other.</summary>
internal sealed class OutsideDirectory
{
    private readonly ConcurrentDictionary<string, HttpMessageInvoker> _hosts = new(StringComparer.OrdinalIgnoreCase);

    public void Map(string host, HttpMessageHandler handler) => _hosts[host] = new HttpMessageInvoker(handler, disposeHandler: false);

    /// <summary>The primary handler of a client that the mesh has made: what the mesh passes on comes here.</summary>
    public HttpMessageHandler CreateHandler() => new Handler(this);

    // Of the type that a client has by default, so that redirects, cookies and all else are as they are in production.
    private sealed class Handler(OutsideDirectory outside) : HttpClientHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var uri = request.RequestUri!;
            return outside._hosts.TryGetValue(uri.Authority, out var host) || outside._hosts.TryGetValue(uri.Host, out host)
                ? host.SendAsync(request, cancellationToken)
                : Task.FromException<HttpResponseMessage>(new HttpRequestException(
                    HttpRequestError.NameResolutionError,
                    $"The mesh passes the request on to {uri.Authority}, which is outside of it, and a mesh under test has no outside but what {nameof(MeshTestHost.MapOutside)} puts there."));
        }
    }
}
