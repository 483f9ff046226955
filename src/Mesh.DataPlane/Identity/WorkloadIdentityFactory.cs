using Mesh.DataPlane.Configuration;
using Mesh.Identity;
using Mesh.Xds.Bootstrap;
using Mesh.Xds.Certificates;
using Mesh.Xds.Client;
using Mesh.Xds.Grpc;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Mesh.DataPlane.Identity;

/// <summary>Finds out where this process has its identity from: what the settings say, and what there is.</summary>
internal static class WorkloadIdentityFactory
{
    /// <returns><see langword="null"/> when the process has none.</returns>
    /// <exception cref="InvalidOperationException">The settings ask for what is not there.</exception>
    public static WorkloadIdentity? Create(IServiceProvider services)
    {
        var logger = services.GetService<ILogger<WorkloadIdentity>>() ?? NullLogger<WorkloadIdentity>.Instance;
        try
        {
            return Source(services, logger) is { } source ? new WorkloadIdentity(source, services.GetRequiredService<TimeProvider>(), logger) : null;
        }
        catch (Exception e) when (e is IdentityException or FormatException)
        {
            throw new InvalidOperationException($"The identity of this workload: {e.Message}.", e);
        }
    }

    private static IIdentitySource? Source(IServiceProvider services, ILogger logger)
    {
        var options = services.GetRequiredService<IOptions<MeshOptions>>().Value.Identity;
        if (options.Source == MeshIdentitySource.None)
        {
            return null;
        }

        var bootstrap = services.GetRequiredService<XdsBootstrap>();
        var (time, random) = (services.GetRequiredService<TimeProvider>(), services.GetRequiredService<IRandomSource>());
        switch (options.Source)
        {
            case MeshIdentitySource.Files:
                return new FileSource(FileSourceSettings.Of(options.Files), time, random);
            case MeshIdentitySource.FileWatcher:
            case MeshIdentitySource.Auto when bootstrap.CertificateProviders.Count > 0:
                return new FileSource(FileWatcher(bootstrap), time, random);
            case MeshIdentitySource.WorkloadApi:
                return new WorkloadApiSource(
                    WorkloadApiSource.TargetOf(options.WorkloadApi, Environment.GetEnvironmentVariable),
                    options.WorkloadApi,
                    new XdsClientOptions { Node = bootstrap.Node, TimeProvider = time, Random = random });
            case MeshIdentitySource.CertificateAuthority:
            case MeshIdentitySource.Auto when HasCredential(services, options.CertificateAuthority, bootstrap):
                return Authority(services, options, bootstrap, logger);
            default:
                return null;
        }
    }

    // xDS names an instance; here there is one identity, which answers to every name.
    private static FileSourceSettings FileWatcher(XdsBootstrap bootstrap)
    {
        var providers = bootstrap.CertificateProviders;
        return providers.TryGetValue("default", out var byDefault) ? FileSourceSettings.Of("default", byDefault)
            : providers.Count == 1 ? FileSourceSettings.Of(providers.First().Key, providers.First().Value)
            : throw new IdentityException(providers.Count == 0
                ? "Mesh:Identity:Source is FileWatcher, and the gRPC bootstrap (GRPC_XDS_BOOTSTRAP) has no certificate_providers"
                : $"certificate_providers of the gRPC bootstrap has {string.Join(", ", providers.Keys.Order(StringComparer.Ordinal))}; call the one for this workload 'default'");
    }

    private static bool HasCredential(IServiceProvider services, MeshIdentityAuthorityOptions options, XdsBootstrap bootstrap)
        => services.GetService<ICertificateIssuer>() is not null
            || (AddressOf(options, bootstrap) is not null && TokenFileOf(options, services.GetRequiredService<IOptions<MeshOptions>>().Value.Xds) is not null);

    private static CertificateAuthoritySource Authority(IServiceProvider services, MeshIdentityOptions options, XdsBootstrap bootstrap, ILogger logger)
    {
        var settings = options.CertificateAuthority;
        var workload = services.GetRequiredService<IOptions<MeshOptions>>().Value.Workload;
        var id = SpiffeId.ForWorkload(options.TrustDomain, workload.Namespace, workload.ServiceAccount);
        var (time, random) = (services.GetRequiredService<TimeProvider>(), services.GetRequiredService<IRandomSource>());
        if (string.IsNullOrEmpty(settings.Address) && services.GetService<ICertificateIssuer>() is { } inProcess)
        {
            var caller = new CallerCredentials { InProcess = (workload.Namespace, workload.ServiceAccount) };
            return new CertificateAuthoritySource(inProcess, () => caller, id, settings, time, random, logger);
        }

        var address = AddressOf(settings, bootstrap)
            ?? throw new IdentityException("Mesh:Identity:Source is CertificateAuthority, and neither Mesh:Identity:CertificateAuthority:Address nor Mesh:Xds:Server says where it is");
        var target = GrpcTarget.Parse(address);
        var tls = settings.RootCertificates is { Length: > 0 } roots ? new GrpcTlsCredentials(roots) : bootstrap.Servers.FirstOrDefault(s => s.ServerUri == address)?.Tls;
        var channel = new GrpcChannel(target, new GrpcChannelOptions { Tls = target.Tls == false ? null : tls, TimeProvider = time, UserAgent = $"{XdsNode.UserAgentName}/{XdsNode.UserAgentVersion}" });
        var xds = services.GetRequiredService<IOptions<MeshOptions>>().Value.Xds;
        var isSafe = target.Tls ?? tls is not null;
        return new CertificateAuthoritySource(
            new GrpcCertificateIssuer(channel, address, settings.RequestTimeout), () => Credentials(settings, xds, target, isSafe), id, settings, time, random, logger, channel);
    }

    private static CallerCredentials Credentials(MeshIdentityAuthorityOptions settings, MeshXdsOptions xds, GrpcTarget target, bool isSafe)
    {
        // Where nobody has named a token, control plane and workload of one user on one machine have one in common.
        var file = TokenFileOf(settings, xds) ?? (target.IsOnThisMachine ? LoopbackToken.DefaultPath : null);
        if (file is null || BearerTokenFile.Read(file) is not { } token)
        {
            return CallerCredentials.None;
        }

        return isSafe || target.IsOnThisMachine
            ? new CallerCredentials { BearerToken = token }
            : throw new IdentityException($"the token of {file} is not sent to {target.Text} in clear text; write https:// (Istio's port for it is 15012), or name the authorities of its certificate in Mesh:Identity:CertificateAuthority:RootCertificates");
    }

    private static string? AddressOf(MeshIdentityAuthorityOptions options, XdsBootstrap bootstrap)
        => options.Address is { Length: > 0 } address ? address : bootstrap.Servers.Count > 0 ? bootstrap.Servers[0].ServerUri : null;

    private static string? TokenFileOf(MeshIdentityAuthorityOptions options, MeshXdsOptions xds)
        => File.Exists(options.TokenFile) ? options.TokenFile
            : string.IsNullOrEmpty(options.Address) && File.Exists(xds.TokenFile) ? xds.TokenFile
            : null;
}
