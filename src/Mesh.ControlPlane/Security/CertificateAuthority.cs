using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mesh.ControlPlane.Monitoring;
using Mesh.Identity;
using Mesh.Xds.Certificates;
using Mesh.Xds.Grpc;

namespace Mesh.ControlPlane.Security;

/// <summary>Gives workloads the certificates of the identities that they prove, as Istio's authority does: what a request says of names is a wish and no more.</summary>
internal sealed class CertificateAuthority(
    IIssuerSource issuers,
    CallerAuthenticator authenticator,
    Func<string, string, AuthenticatedCaller, bool> isHeldByAnother,
    Func<TrustDomains> trustDomains,
    MeshControlPlaneAuthorityOptions options,
    TimeProvider time,
    AuditLog audit,
    CitadelMetrics? metrics = null) : ICertificateIssuer, IMeshCertificateAuthority
{
    public string Target => "the control plane in this process";

    public string Roots
    {
        get
        {
            try
            {
                return issuers.Current.RootsPem;
            }
            catch (AuthorityException e)
            {
                throw new InvalidOperationException(e.Message, e);
            }
        }
    }

    public RootRotation Rotation => issuers.Rotation;

    public void BeginRootRotation() => BeginRootRotation("the control plane's own process", null);

    /// <inheritdoc cref="BeginRootRotation()"/>
    /// <param name="who">Who wants it, for the audit log.</param>
    /// <param name="from">From where.</param>
    public void BeginRootRotation(string who, System.Net.EndPoint? from)
    {
        try
        {
            issuers.BeginRotation();
        }
        catch (AuthorityException e)
        {
            throw new InvalidOperationException(e.Message, e);
        }

        audit.Done("change to another root begun", who, from);
    }

    public Task<IssuedCertificate> IssueAsync(CertificateSigningRequest request, CallerCredentials caller, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(Issue(request, caller));
    }

    private IssuedCertificate Issue(CertificateSigningRequest request, CallerCredentials credentials)
    {
        metrics?.Asked();

        // 1. Who asks.
        var (caller, failure) = authenticator.Authenticate(credentials);
        if (caller is null)
        {
            metrics?.NotAuthenticated();
            throw Refuse(StatusCode.Unauthenticated, failure ?? "nothing proves who asks: a join token, a service account's token or a certificate of this mesh would");
        }

        // 2. What is believed of the request: the key.
        if (CertificateSigningRequestReader.Read(request.Csr, out var key, out var requested) is { } problem)
        {
            metrics?.NotParsed();
            throw Refuse(StatusCode.InvalidArgument, problem);
        }

        // 3. Who it will be.
        var (ns, account) = AccountOf(caller, requested);
        SpiffeId id;
        try
        {
            id = SpiffeId.ForWorkload(trustDomains().Name, ns, account);
        }
        catch (FormatException e)
        {
            throw Refuse(StatusCode.InvalidArgument, e.Message);
        }

        if (caller.IsLocalUser && isHeldByAnother(ns, account, caller))
        {
            throw Refuse(StatusCode.PermissionDenied, $"{ns}/{account} is held by a workload that runs now and has proven itself otherwise");
        }

        // 4. The certificate.
        try
        {
            var issuer = issuers.Current;
            using var certificate = issuer.Sign(NewRequest(key!, id), time.GetUtcNow(), LifetimeOf(request.Validity), options.ClockSkew);
            metrics?.Issued();
            audit.CertificateIssued(caller.Credential, credentials.Remote, id.ToString(), certificate.SerialNumber, Issuer.Utc(certificate.NotAfter));
            return new IssuedCertificate(certificate.ExportCertificatePem() + "\n" + issuer.IntermediatesPem, issuer.RootsPem);
        }
        catch (AuthorityException e)
        {
            metrics?.NotSigned();
            audit.CertificateRefused(caller.Credential, credentials.Remote, e.Message);

            // Where the files lie is for the log alone.
            throw new RpcException(StatusCode.Unavailable, "the authority cannot sign now; see the control plane's log", e);
        }

        RpcException Refuse(StatusCode status, string reason)
        {
            if (status == StatusCode.PermissionDenied)
            {
                metrics?.NotAllowed();
            }

            audit.CertificateRefused(caller?.Credential, credentials.Remote, reason);
            return new RpcException(status, reason);
        }

        (string Namespace, string Account) AccountOf(AuthenticatedCaller known, SpiffeId? wish)
        {
            if (known.Accounts.Single is { } single)
            {
                return single;
            }

            if (wish is not { Namespace: { } wishedNamespace, ServiceAccount: { } wishedAccount })
            {
                throw Refuse(StatusCode.InvalidArgument, $"{known.Credential} stands for several service accounts ({known.Accounts}): the request must name one of them as its only URI, spiffe://{trustDomains().Name}/ns/…/sa/…");
            }

            return known.Accounts.Contains(wishedNamespace, wishedAccount) && trustDomains().Include(wish.Value.TrustDomain)
                ? (wishedNamespace, wishedAccount)
                : throw Refuse(StatusCode.PermissionDenied, $"{known.Credential} does not stand for {wish}");
        }
    }

    private TimeSpan LifetimeOf(TimeSpan? requested)
        => requested is not { } wish || wish <= TimeSpan.Zero ? options.Lifetime
            : wish > options.MaxLifetime ? options.MaxLifetime
            : wish;

    /// <summary>As Istio's certificates are: no subject, one name.</summary>
    private static CertificateRequest NewRequest(PublicKey key, SpiffeId id)
    {
        var request = new CertificateRequest(new X500DistinguishedName(""), key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyEncipherment, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], critical: false));
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(SubjectAltName.OfUri(id.ToString()));
        return request;
    }
}
