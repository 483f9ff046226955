using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace Mesh.TestNet;

/// <summary>A server that is no part of any mesh, at an address of its own: HTTP/1.1 and HTTP/2, in clear text and over TLS. It remembers what it saw.</summary>
public sealed class OutsideHost : IAsyncDisposable
{
    private readonly ConcurrentQueue<OutsideRequest> _seen = [];
    private readonly ConcurrentQueue<string?> _serverNames = [];
    private readonly ConcurrentDictionary<string, X509Certificate2> _certificates = new(StringComparer.OrdinalIgnoreCase);
    private readonly SemaphoreSlim _arrived = new(0);
    private readonly TestCertificateAuthority _authority;
    private readonly OutsideHostOptions _options;
    private readonly WebApplication _app;
    private RequestDelegate _answer;
    private int _connections;

    private OutsideHost(string name, IPAddress address, TestCertificateAuthority authority, OutsideHostOptions options)
    {
        (Name, Address, _authority, _options) = (name, address, authority, options);
        Names = [name, .. options.Names];
        _answer = options.Answer ?? (context => context.Response.WriteAsync($"{name} {context.Request.Path}{context.Request.QueryString}"));
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(ConfigureKestrel);
        _app = builder.Build();
        _app.UseWebSockets();
        _app.Run(ServeAsync);
    }

    public string Name { get; }

    /// <summary>All its names.</summary>
    public IReadOnlyList<string> Names { get; }

    public IPAddress Address { get; }

    /// <summary>The requests that have come in, in order.</summary>
    public IReadOnlyList<OutsideRequest> Seen => [.. _seen];

    /// <summary>The server names of the TLS handshakes that have begun, in order.</summary>
    public IReadOnlyList<string?> ServerNames => [.. _serverNames];

    /// <summary>Connections that have been accepted, on any port.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>From now on it answers so.</summary>
    public void Answer(RequestDelegate answer) => Volatile.Write(ref _answer, answer);

    /// <summary>From now on it answers with a status and a text.</summary>
    public void Answer(int status, string text = "") => Answer(context =>
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsync(text);
    });

    /// <summary>Completes when the next request has arrived.</summary>
    public Task ArrivedAsync() => _arrived.WaitAsync();

    /// <summary>Nobody listens at its ports any more.</summary>
    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        foreach (var certificate in _certificates.Values)
        {
            certificate.Dispose();
        }

        _arrived.Dispose();
    }

    internal static async Task<OutsideHost> StartAsync(string name, IPAddress address, TestCertificateAuthority authority, OutsideHostOptions options)
    {
        var host = new OutsideHost(name, address, authority, options);
        await host._app.StartAsync();
        return host;
    }

    private void ConfigureKestrel(KestrelServerOptions kestrel)
    {
        if (_options.HttpPort is { } http)
        {
            kestrel.Listen(Address, OutsideNet.LocalPort(http), listen =>
            {
                listen.Protocols = _options.Http2 ? HttpProtocols.Http2 : HttpProtocols.Http1;
                listen.Use(Count);
            });
        }

        if (_options.HttpsPort is { } https)
        {
            kestrel.Listen(Address, OutsideNet.LocalPort(https), listen =>
            {
                listen.Protocols = HttpProtocols.Http1AndHttp2;
                listen.Use(Count);
                listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = SelectAsync });
            });
        }

        foreach (var (port, serve) in _options.Tcp)
        {
            kestrel.Listen(Address, OutsideNet.LocalPort(port), listen =>
            {
                listen.Use(Count);
                listen.Use(_ => serve);
            });
        }
    }

    private ConnectionDelegate Count(ConnectionDelegate next) => connection =>
    {
        Interlocked.Increment(ref _connections);
        return next(connection);
    };

    private ValueTask<SslServerAuthenticationOptions> SelectAsync(TlsHandshakeCallbackContext context)
    {
        var serverName = context.ClientHelloInfo.ServerName;
        _serverNames.Enqueue(serverName);
        var certificate = _options.Certificate?.Invoke(serverName)
            ?? _certificates.GetOrAdd(Names.FirstOrDefault(name => name.Equals(serverName, StringComparison.OrdinalIgnoreCase)) ?? Name, name => _authority.Issue(name));
        var options = new SslServerAuthenticationOptions { ServerCertificate = certificate };
        if (_options.RequireClientCertificate)
        {
            options.ClientCertificateRequired = true;
            options.CertificateChainPolicy = _authority.CreateChainPolicy();
            options.RemoteCertificateValidationCallback = static (_, shown, _, errors) => shown is not null && errors == SslPolicyErrors.None;
        }

        return ValueTask.FromResult(options);
    }

    private Task ServeAsync(HttpContext context)
    {
        var request = context.Request;
        var tls = context.Features.Get<ITlsHandshakeFeature>();
        _seen.Enqueue(new OutsideRequest(
            request.Method,
            request.Scheme,
            request.Host.Value ?? "",
            context.Features.Get<IHttpRequestFeature>()!.RawTarget,
            request.Protocol,
            tls?.HostName,
            context.Connection.ClientCertificate?.Subject,
            context.Connection.Id,
            request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase)));
        _arrived.Release();
        return Volatile.Read(ref _answer)(context);
    }
}
