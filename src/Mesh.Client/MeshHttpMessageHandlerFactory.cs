using System.Net;
using Mesh.DataPlane;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Mesh.Client;

/// <summary>Handlers that share one way out of the mesh.</summary>
internal sealed class MeshHttpMessageHandlerFactory(IServiceProvider services, IOptions<MeshOptions> options) : IMeshHttpMessageHandlerFactory, IDisposable
{
    // Addresses of the world outside change: connections are made anew after as long as the factory keeps a client's handler.
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(2);

    private readonly Lazy<SocketsHttpHandler> _primary = new(() => new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        EnableMultipleHttp2Connections = true,
        PooledConnectionLifetime = ConnectionLifetime,
        UseCookies = false,
    });

    public HttpMessageHandler CreateHandler() => CreateHandler(_primary.Value, options.Value.Client.LocalReplies);

    public HttpMessageInvoker CreateInvoker() => new(CreateHandler(), disposeHandler: false);

    /// <summary>A handler with a way out of its own, which stays its owner's to dispose.</summary>
    public MeshHandler CreateHandler(HttpMessageHandler primary, LocalReplyMode replies)
        => new(services.GetRequiredService<MeshEngine>(), PrimaryFeatures.None, outerRetries: null, replies)
        {
            InnerHandler = new SharedHandler(primary),
        };

    public void Dispose()
    {
        if (_primary.IsValueCreated)
        {
            _primary.Value.Dispose();
        }
    }

    /// <summary>A handler that others use as well: whoever is done with it leaves it to them.</summary>
    private sealed class SharedHandler(HttpMessageHandler inner) : HttpMessageHandler
    {
        private readonly HttpMessageInvoker _inner = new(inner, disposeHandler: false);

        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) => _inner.Send(request, cancellationToken);

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
            => _inner.SendAsync(request, cancellationToken);
    }
}
