using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mesh.ControlPlane;
using Mesh.Xds.Certificates;
using Mesh.Xds.Grpc;
using Mesh.Xds.Serving;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Mesh.Xds.Server.Tests.Security;

/// <summary>The control plane on TLS, in clear text and on a Unix socket, with real sockets.</summary>
internal sealed class SecureControlPlane : IAsyncDisposable
{
    public const string RatingsToken = "ratings-ratings-ratings-ratings";
    public const string AdminToken = "admin-admin-admin-admin-admin";

    private readonly WebApplication _app;
    private readonly string _folder;

    private SecureControlPlane(WebApplication app, string folder)
    {
        _app = app;
        _folder = folder;
        var urls = app.Urls.ToArray();
        Tls = urls.Single(url => url.StartsWith("https:", StringComparison.Ordinal));
        var plain = urls.Where(url => url.StartsWith("http://127", StringComparison.Ordinal)).ToArray();
        (Plain, Monitoring) = (plain[0], plain[1]);
        File.WriteAllText(RootsFile, Authority.Roots);
    }

    public string Tls { get; }

    public string Plain { get; }

    /// <summary>What people and Prometheus read.</summary>
    public string Monitoring { get; }

    public string UnixTarget => "unix://" + Path.Combine(_folder, "xds.sock");

    public string RootsFile => Path.Combine(_folder, "roots.pem");

    public IMeshCertificateAuthority Authority => _app.Services.GetRequiredService<IMeshCertificateAuthority>();

    public IAdsServer Ads => _app.Services.GetRequiredService<IAdsServer>();

    public IEnumerable<string> Registered => _app.Services.GetRequiredService<Mesh.ControlPlane.Registry.ServiceRegistry>().Current.Values.Select(w => $"{w.Namespace}/{w.ServiceAccount}");

    public static async Task<SecureControlPlane> StartAsync(Action<MeshControlPlaneOptions>? configure = null)
    {
        var folder = Directory.CreateTempSubdirectory("mesh-secure-").FullName;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddMeshControlPlane(options =>
        {
            options.CertificateAuthority.Folder = Path.Combine(folder, "authority");
            options.Authentication.JoinTokens.Add(new MeshJoinTokenOptions { File = Secret("ratings", RatingsToken), Accounts = { "default/ratings" } });
            options.Authentication.Roles.Add(new MeshRoleBindingOptions { Role = MeshControlPlaneRole.ConfigWriter, TokenFile = Secret("admin", AdminToken) });
            configure?.Invoke(options);
        });
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ListenMeshXdsTls(IPAddress.Loopback, 0);
            kestrel.ListenMeshXds(IPAddress.Loopback, 0);
            kestrel.ListenMeshMonitoring(IPAddress.Loopback, 0);
            kestrel.ListenMeshXdsUnixSocket(Path.Combine(folder, "xds.sock"));
        });
        var app = builder.Build();
        app.MapMeshXds();
        app.MapMeshControlPlane();
        app.MapMeshMonitoring();
        await app.StartAsync();
        return new SecureControlPlane(app, folder);

        string Secret(string name, string text)
        {
            var path = Path.Combine(folder, name);
            File.WriteAllText(path, text);
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }

            return path;
        }
    }

    /// <summary>Asks the authority over gRPC with a key of its own.</summary>
    /// <returns>The certificate with its key, and what came besides.</returns>
    public async Task<(X509Certificate2 Certificate, IssuedCertificate Issued)> IssueAsync(
        string target, string? token = null, GrpcTlsCredentials? tls = null, string? uri = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("", key, HashAlgorithmName.SHA256);
        if (uri is not null)
        {
            var san = new SubjectAlternativeNameBuilder();
            san.AddUri(new Uri(uri));
            request.CertificateExtensions.Add(san.Build());
        }

        using var channel = new GrpcChannel(GrpcTarget.Parse(target), new GrpcChannelOptions { Tls = target.StartsWith("https", StringComparison.Ordinal) ? tls ?? Trust() : null });
        var issuer = new GrpcCertificateIssuer(channel, target, TimeSpan.FromSeconds(30));
        var issued = await issuer.IssueAsync(new CertificateSigningRequest(request.CreateSigningRequest()), new CallerCredentials { BearerToken = token }, default);
        return (X509Certificate2.CreateFromPem(issued.Chain).CopyWithPrivateKey(key), issued);
    }

    /// <summary>Trust in the authority's roots as they were at the start, and a certificate to show.</summary>
    public GrpcTlsCredentials Trust(X509Certificate2? certificate = null) => new(RootsFile) { Certificate = certificate is null ? null : () => certificate };

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
