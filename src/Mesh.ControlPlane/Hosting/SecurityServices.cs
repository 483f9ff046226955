using Mesh.ControlPlane.Discovery;
using Mesh.ControlPlane.Monitoring;
using Mesh.ControlPlane.Registry;
using Mesh.ControlPlane.Security;
using Mesh.Xds.Certificates;
using Mesh.Xds.Metrics;
using Mesh.Xds.Serving;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Mesh.ControlPlane.Hosting;

/// <summary>The authority and those who decide whom the control plane believes, put together from the settings.</summary>
internal sealed class SecurityServices : IDisposable
{
    private SecurityServices(IServiceProvider provider)
    {
        var options = provider.GetRequiredService<IOptions<MeshControlPlaneOptions>>().Value;
        var time = provider.GetRequiredService<TimeProvider>();
        var loggers = provider.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance;
        var believed = options.Authentication;

        AllowsLoopback = believed.AllowLoopback ?? provider.GetService<IHostEnvironment>()?.IsDevelopment() ?? false;
        TrustDomains = () => Of(provider.GetRequiredService<DiscoveryServer>());
        Authority = CreateAuthority(options.CertificateAuthority, () => TrustDomains().Name, time, loggers.CreateLogger<CertificateAuthority>());
        Audit = new AuditLog(loggers, time);
        JoinTokens = [.. believed.JoinTokens.Select(token => new JoinToken(Path.GetFileName(token.File), new TokenFile(token.File), AccountSet.Parse(token.Accounts)))];
        Issuers = [.. believed.ServiceAccountIssuers.Select(issuer => new ServiceAccountTokenVerifier(
            issuer.Issuer, issuer.Audiences.Count > 0 ? [.. issuer.Audiences] : ["istio-ca"], issuer.JwksFile, time))];
        LoopbackToken = AllowsLoopback && (believed.LoopbackTokenFile ?? Mesh.Xds.Certificates.LoopbackToken.DefaultPath) is { Length: > 0 } file ? new TokenFile(file) : null;
        Authenticator = new CallerAuthenticator(JoinTokens, Issuers, LoopbackToken, AllowsLoopback, Authority, TrustDomains, time);
        Roles = new RoleBindings(believed.Roles, Authenticator);
    }

    public bool AllowsLoopback { get; }

    public Func<TrustDomains> TrustDomains { get; }

    public IIssuerSource? Authority { get; }

    public AuditLog Audit { get; }

    public IReadOnlyList<JoinToken> JoinTokens { get; }

    public IReadOnlyList<ServiceAccountTokenVerifier> Issuers { get; }

    public TokenFile? LoopbackToken { get; }

    public CallerAuthenticator Authenticator { get; }

    public RoleBindings Roles { get; }

    public static void Add(IServiceCollection services)
    {
        services.AddSingleton(provider => new SecurityServices(provider));
        services.AddSingleton(provider => Of(provider).Audit);
        services.AddSingleton(provider => Of(provider).Roles);
        services.AddSingleton(provider =>
        {
            var parts = Of(provider);
            return new SecurityFiles(parts.Authority, parts.JoinTokens, parts.Issuers, parts.LoopbackToken, parts.Roles.TokenFiles, LoggerOf<SecurityFiles>(provider));
        });
        services.AddSingleton(provider =>
        {
            var parts = Of(provider);
            var options = provider.GetRequiredService<IOptions<MeshControlPlaneOptions>>().Value;
            return new Gatekeeper(parts.Authenticator, parts.AllowsLoopback, options.Authentication.RequireForClients, provider.GetRequiredService<TimeProvider>(), parts.Audit);
        });

        services.AddSingleton(provider => Of(provider).Authority is { } authority ? new TrustBundle(authority, LoggerOf<TrustBundle>(provider)) : null!);

        services.AddSingleton<IControlPlaneAdmin>(provider => new ControlPlaneAdmin(
            provider.GetRequiredService<IAdsServer>(),
            Of(provider).Roles,
            provider.GetService<CertificateAuthority>(),
            Of(provider).TrustDomains,
            provider.GetRequiredService<IOptions<MeshControlPlaneOptions>>().Value,
            provider.GetRequiredService<TimeProvider>(),
            Of(provider).Audit));

        // Without an authority there is nobody to ask: these are then null.
        services.AddSingleton(provider => CreateIssuer(provider)!);
        services.AddSingleton<ICertificateIssuer>(provider => provider.GetService<CertificateAuthority>()!);
        services.AddSingleton<IMeshCertificateAuthority>(provider => provider.GetService<CertificateAuthority>()!);
        services.AddSingleton<IServerCertificateSource>(provider =>
        {
            var options = provider.GetRequiredService<IOptions<MeshControlPlaneOptions>>().Value;
            return Of(provider).Authority is { } authority
                ? new ServerCertificate(
                    authority, ServerCertificate.NamesOf(options.CertificateAuthority, options.ClusterDomain), options.CertificateAuthority, provider.GetRequiredService<TimeProvider>())
                : null!;
        });
    }

    public void Dispose() => Authority?.Dispose();

    private static SecurityServices Of(IServiceProvider provider) => provider.GetRequiredService<SecurityServices>();

    private static CertificateAuthority? CreateIssuer(IServiceProvider provider)
    {
        var parts = Of(provider);
        return parts.Authority is { } authority
            ? new CertificateAuthority(
                authority,
                parts.Authenticator,
                provider.GetRequiredService<ServiceRegistry>().IsHeldByAnother,
                parts.TrustDomains,
                provider.GetRequiredService<IOptions<MeshControlPlaneOptions>>().Value.CertificateAuthority,
                provider.GetRequiredService<TimeProvider>(),
                parts.Audit,
                new CitadelMetrics(provider.GetRequiredService<MetricRegistry>(), authority, provider.GetRequiredService<TimeProvider>()))
            : null;
    }

    private static IIssuerSource? CreateAuthority(MeshControlPlaneAuthorityOptions options, Func<string> trustDomain, TimeProvider time, ILogger logger)
        => !options.Enabled ? null
            : options.CaCerts is { Length: > 0 } given ? new CaCertsFolder(given, time, logger)
            : new SelfSignedAuthority(
                new SelfSignedAuthorityOptions(
                    options.Folder is { Length: > 0 } own ? own : null, options.RootLifetime, options.RootAnnouncement, options.MaxLifetime, options.ClockSkew),
                trustDomain,
                time,
                logger);

    private static TrustDomains Of(DiscoveryServer discovery)
    {
        var config = discovery.Model.Config.Mesh.Config;
        return new TrustDomains(config.TrustDomain.Length > 0 ? config.TrustDomain : Security.TrustDomains.Default, config.TrustDomainAliases);
    }

    private static ILogger<T> LoggerOf<T>(IServiceProvider provider) => provider.GetService<ILogger<T>>() ?? NullLogger<T>.Instance;
}
