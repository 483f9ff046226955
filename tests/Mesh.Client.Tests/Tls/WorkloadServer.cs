using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Mesh.DataPlane.Telemetry.Peers;
using Mesh.DataPlane.Tls;
using Mesh.TestNet;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace Mesh.Client.Tests.Tls;

/// <summary>A workload of the mesh as its callers see it: stock Kestrel that wants a certificate, and knows Istio's names of protocols.</summary>
internal sealed class WorkloadServer : IAsyncDisposable
{
    private readonly ConcurrentQueue<SeenRequest> _seen = [];
    private readonly WebApplication _app;
    private readonly bool _isPlain;
    private readonly ConcurrentQueue<byte[]> _introductions = [];
    private int _handshakes;
    private int _connections;
    private X509Certificate2 _certificate;
    private volatile TestCertificateAuthority[] _trusted;
    private volatile string[] _protocols;
    private RequestDelegate _answer = context => context.Response.WriteAsync("hello");

    private WorkloadServer(X509Certificate2 certificate, TestCertificateAuthority[] trusted, string[] protocols, bool http2, bool isPlain, SslProtocols versions)
    {
        (_certificate, _trusted, _protocols, _isPlain) = (certificate, trusted, protocols, isPlain);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AllowAlternateSchemes = true;
            kestrel.Listen(IPAddress.Loopback, 0, listen =>
            {
                listen.Protocols = isPlain && !http2 ? HttpProtocols.Http1 : isPlain ? HttpProtocols.Http2 : HttpProtocols.Http1AndHttp2;
                listen.Use(next => connection =>
                {
                    Interlocked.Increment(ref _connections);
                    return next(connection);
                });
                if (!isPlain)
                {
                    listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(Options(versions)) });
                    listen.Use(next => async connection =>
                    {
                        Interlocked.Increment(ref _handshakes);
                        var protocol = connection.Features.Get<ITlsApplicationProtocolFeature>()?.ApplicationProtocol.ToArray() ?? [];
                        connection.Items["alpn"] = System.Text.Encoding.ASCII.GetString(protocol);
                        if (MeshAlpn.IsIntroduced(protocol))
                        {
                            connection.Items["introduction"] = await Introduction.ReadAsync(connection.Transport.Input.AsStream(leaveOpen: true), connection.ConnectionClosed);
                            _introductions.Enqueue((byte[])connection.Items["introduction"]!);
                        }

                        if (connection.Items["alpn"] is MeshAlpn.Http2 or MeshAlpn.IntroducedHttp2 || (http2 && connection.Items["alpn"] is MeshAlpn.Any))
                        {
                            connection.Features.Set<ITlsApplicationProtocolFeature>(new Negotiated());
                        }

                        await next(connection);
                    });
                }
            });
        });
        _app = builder.Build();
        _app.UseWebSockets();
        _app.Run(ServeAsync);
    }

    public int Port { get; private set; }

    public IReadOnlyList<SeenRequest> Seen => [.. _seen];

    /// <summary>What connections have begun with.</summary>
    public IReadOnlyList<byte[]> Introductions => [.. _introductions];

    /// <summary>Connections that have been accepted.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Handshakes that have been completed.</summary>
    public int Handshakes => Volatile.Read(ref _handshakes);

    public static async Task<WorkloadServer> StartAsync(
        X509Certificate2 certificate, TestCertificateAuthority trusted, string[]? protocols = null, bool http2 = false, bool isPlain = false, SslProtocols versions = SslProtocols.None)
    {
        var server = new WorkloadServer(certificate, [trusted], protocols ?? [MeshAlpn.Http2, MeshAlpn.Http11, MeshAlpn.Any, "h2", "http/1.1"], http2, isPlain, versions);
        await server._app.StartAsync();
        server.Port = new Uri(server._app.Urls.First()).Port;
        return server;
    }

    /// <summary>From now on it shows another certificate.</summary>
    public void Show(X509Certificate2 certificate) => Volatile.Write(ref _certificate, certificate);

    /// <summary>From now on it speaks these, on new connections.</summary>
    public void Speak(params string[] protocols) => _protocols = protocols;

    /// <summary>From now on it believes these.</summary>
    public void Trust(params TestCertificateAuthority[] authorities) => _trusted = authorities;

    /// <summary>From now on it answers so.</summary>
    public void Answer(RequestDelegate answer) => Volatile.Write(ref _answer, answer);

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private SslServerAuthenticationOptions Options(SslProtocols versions)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        foreach (var authority in _trusted)
        {
            policy.CustomTrustStore.Add(X509CertificateLoader.LoadCertificate(authority.Certificate.RawData));
        }

        return new SslServerAuthenticationOptions
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(Volatile.Read(ref _certificate), [], offline: true),
            ClientCertificateRequired = true,
            CertificateChainPolicy = policy,
            EnabledSslProtocols = versions,
            ApplicationProtocols = [.. _protocols.Select(p => new SslApplicationProtocol(p))],
            RemoteCertificateValidationCallback = static (_, shown, _, errors) => shown is not null && errors == SslPolicyErrors.None,
        };
    }

    private async Task ServeAsync(HttpContext context)
    {
        var certificate = context.Connection.ClientCertificate;
        _seen.Enqueue(new SeenRequest(
            context.Request.Protocol,
            context.Request.Scheme,
            context.Request.Host.Value ?? "",
            context.Features.Get<ITlsHandshakeFeature>()?.HostName,
            _isPlain ? null : (string?)context.Features.Get<IConnectionItemsFeature>()!.Items["alpn"],
            certificate is null ? null : SubjectAltNames.Of(certificate).ToString(),
            certificate?.Thumbprint,
            context.Features.Get<ITlsHandshakeFeature>()?.Protocol,
            context.Connection.Id));
        await Volatile.Read(ref _answer)(context);
    }

    private sealed class Negotiated : ITlsApplicationProtocolFeature
    {
        public ReadOnlyMemory<byte> ApplicationProtocol { get; } = "h2"u8.ToArray();
    }
}

/// <summary>What a workload has seen of a request.</summary>
internal sealed record SeenRequest(
    string Protocol, string Scheme, string Host, string? ServerName, string? Alpn, string? Caller, string? Certificate, SslProtocols? Version, string Connection);
