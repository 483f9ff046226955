using System.Net;
using System.Net.Sockets;
using Mesh.Client.DefaultProxy;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Mesh.Client.Tests.DefaultProxy;

/// <summary>A mesh with the listener of its default proxy, which is not made the process's: other tests run in it too.</summary>
internal sealed class ProxiedMesh : IAsyncDisposable
{
    private readonly SocketsHttpHandler _primary = new() { UseProxy = false, AllowAutoRedirect = false, UseCookies = false };

    public ProxiedMesh(Action<MeshOptions>? options = null, Func<string, int, CancellationToken, ValueTask<Stream>>? connect = null)
    {
        Mesh = ClientMesh.Create(options: options);
        Token = new ProxyToken();
        Listener = new ProxyListener(new ProxyServices
        {
            Token = Token,
            Invoker = new HttpMessageInvoker(Mesh.Services.GetRequiredService<MeshHttpMessageHandlerFactory>().CreateHandler(_primary, LocalReplyMode.Response)),
            Connect = connect ?? ((_, _, _) => throw new SocketException((int)SocketError.ConnectionRefused)),
            Time = TimeProvider.System,
            Logger = Mesh.Services.GetRequiredService<ILogger<ProxyListener>>(),
        });
        Listener.Start();
        Proxy = new MeshProxy(Listener.LocalEndPoint, Token, new NoProxy(), "cluster.local", Mesh.Services.GetRequiredService<ILogger<MeshProxy>>());
    }

    public ClientMesh Mesh { get; }

    public ProxyToken Token { get; }

    public ProxyListener Listener { get; }

    public MeshProxy Proxy { get; }

    /// <summary>A client that knows nothing of the mesh, in a process whose default proxy is the mesh's.</summary>
    public HttpClient Client() => new(new SocketsHttpHandler { Proxy = Proxy, AllowAutoRedirect = false }) { Timeout = Hang.Guard };

    /// <summary>A caller that writes what it likes.</summary>
    public Task<RawCaller> ConnectAsync() => RawCaller.ConnectAsync(Listener.LocalEndPoint);

    public async ValueTask DisposeAsync()
    {
        await Listener.StopAsync(TimeSpan.FromSeconds(10), default);
        Listener.Dispose();
        _primary.Dispose();
        await Mesh.DisposeAsync();
    }

    private sealed class NoProxy : IWebProxy
    {
        public ICredentials? Credentials { get; set; }

        public Uri? GetProxy(Uri destination) => null;

        public bool IsBypassed(Uri host) => true;
    }
}
