using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Tests;
using Mesh.DataPlane.Tls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Mesh.Benchmarks;

/// <summary>
/// HTTPS with client certificates as one configures it by hand, and the mesh's mutual TLS, to the same Kestrel in interleaved slices: requests on
/// connections that are kept, and a connection for each request with sessions resumed and without.
/// </summary>
internal static class MutualTlsComparison
{
    public static async Task<int> RunAsync(string[] args)
    {
        var slices = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 25;
        var slice = TimeSpan.FromMilliseconds(args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 500);
        using var authority = new WorkloadAuthority();
        using var certificate = authority.Issue("reviews");
        var (server, ports) = await SocketLoad.StartServerAsync(1, https => Configure(https, authority, certificate));
        await using var running = server;
        foreach (var (what, closes, resumes) in new[]
        {
            ("requests on connections that are kept", false, true),
            ("a handshake for each request, resumed", true, true),
            ("a handshake for each request, in full", true, false),
        })
        {
            using var raw = ByHand(authority, ports[0], resumes);
            await using var engine = BenchmarkMesh.Create(
                [Resources.Prefix("/", "cluster")], Cluster(resumes), _ => { }, ports, identity: authority.Identify("productpage"));
            using var mesh = BenchmarkMesh.Caller(engine);
            raw.Client.DefaultRequestHeaders.ConnectionClose = mesh.Client.DefaultRequestHeaders.ConnectionClose = closes;
            await SocketLoad.WarmUpAsync(slice, raw, mesh);
            Console.WriteLine($"{slices} slices of {slice.TotalMilliseconds} ms, {SocketLoad.Callers} callers, 1 KB answers, HTTP/1.1 over mutual TLS on loopback, {what}");
            await SocketComparison.CompareAsync("mesh", slices, () => SocketLoad.MeasureAsync(raw, slice), () => SocketLoad.MeasureAsync(mesh, slice));
        }

        return 0;
    }

    public static void Configure(HttpsConnectionAdapterOptions https, WorkloadAuthority authority, X509Certificate2 certificate)
    {
        https.ServerCertificate = certificate;
        https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
        https.OnAuthenticate = (_, options) => options.CertificateChainPolicy = authority.CreateChainPolicy();
        https.ClientCertificateValidation = static (_, _, errors) => errors == SslPolicyErrors.None;
    }

    public static SocketCaller ByHand(WorkloadAuthority authority, int port, bool resumes)
        => new(new HttpClient(HandlerByHand(authority, resumes)), $"https://localhost:{port}{SocketCaller.Path}");

    /// <summary>A primary handler that shows a certificate and holds the server's to its name.</summary>
    public static SocketsHttpHandler HandlerByHand(WorkloadAuthority authority, bool resumes)
    {
        var expected = WorkloadAuthority.Name("reviews");
        var handler = new SocketsHttpHandler { UseProxy = false, UseCookies = false, AllowAutoRedirect = false };
        handler.SslOptions = new SslClientAuthenticationOptions
        {
            AllowTlsResume = resumes,
            ClientCertificateContext = SslStreamCertificateContext.Create(authority.Issue("productpage"), [], offline: true),
            CertificateChainPolicy = authority.CreateChainPolicy(),
            RemoteCertificateValidationCallback = (_, shown, _, errors)
                => (errors & ~SslPolicyErrors.RemoteCertificateNameMismatch) == SslPolicyErrors.None
                    && SubjectAltNames.Of((X509Certificate2)shown!).Names.Any(name => name.Value == expected),
        };
        return handler;
    }

    private static Envoy.Config.Cluster.V3.Cluster Cluster(bool resumes)
    {
        var cluster = Resources.Cluster("cluster", Envoy.Config.Cluster.V3.Cluster.Types.LbPolicy.LeastRequest);
        cluster.TransportSocket = new TransportSocket
        {
            Name = "envoy.transport_sockets.tls",
            TypedConfig = Any.Pack(new UpstreamTlsContext
            {
                Sni = "outbound_.9080_._.reviews.default.svc.cluster.local",
                MaxSessionKeys = resumes ? null : 0,
                CommonTlsContext = new CommonTlsContext
                {
                    TlsCertificateProviderInstance = new() { InstanceName = "default" },
                    ValidationContext = new()
                    {
                        CaCertificateProviderInstance = new() { InstanceName = "default" },
                        MatchTypedSubjectAltNames =
                        {
                            new SubjectAltNameMatcher { SanType = SubjectAltNameMatcher.Types.SanType.Uri, Matcher = new() { Exact = WorkloadAuthority.Name("reviews") } },
                        },
                    },
                },
            }),
        };
        return cluster;
    }
}
