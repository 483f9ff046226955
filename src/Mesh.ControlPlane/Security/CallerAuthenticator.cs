using System.Net;
using System.Net.Sockets;
using Mesh.Xds.Certificates;
using Mesh.Xds.Jwt;

namespace Mesh.ControlPlane.Security;

/// <summary>Finds out who a caller is, by the first of his credentials that proves it: certificate, token, user of this machine.</summary>
internal sealed class CallerAuthenticator(
    IReadOnlyList<JoinToken> joinTokens,
    IReadOnlyList<ServiceAccountTokenVerifier> issuers,
    TokenFile? loopbackToken,
    bool allowLoopback,
    IIssuerSource? authority,
    Func<TrustDomains> trustDomains,
    TimeProvider time)
{
    public Authentication Authenticate(CallerCredentials credentials)
    {
        if (credentials.InProcess is var (ns, account))
        {
            return Authentication.Of(new AuthenticatedCaller("the control plane's own process", AccountSet.Of(ns, account)));
        }

        var failures = new List<string>();
        foreach (var found in (ReadOnlySpan<Authentication>)[OfCertificate(credentials), OfToken(credentials), OfUser(credentials)])
        {
            if (found.Caller is not null)
            {
                return found;
            }

            if (found.Failure is { } failure)
            {
                failures.Add(failure);
            }
        }

        return failures.Count == 0 ? Authentication.Anonymous : Authentication.Failed(string.Join("; ", failures));
    }

    /// <summary>Whether a caller is on this machine.</summary>
    public static bool IsLocal(EndPoint? remote) => remote switch
    {
        IPEndPoint ip => IPAddress.IsLoopback(ip.Address.IsIPv4MappedToIPv6 ? ip.Address.MapToIPv4() : ip.Address),
        // A Unix socket has no address of its own.
        null or UnixDomainSocketEndPoint => true,
        _ => false,
    };

    private Authentication OfCertificate(CallerCredentials credentials)
    {
        if (credentials.Certificate is not { } certificate)
        {
            return Authentication.Anonymous;
        }

        try
        {
            return authority is null
                ? Authentication.Failed("a certificate proves nothing here, as there is no authority")
                : CertificateVerifier.Verify(certificate, [.. authority.Current.Intermediates, .. credentials.CertificateChain], authority.Current.Roots, trustDomains(), time.GetUtcNow());
        }
        catch (AuthorityException)
        {
            return Authentication.Failed("the authority cannot be asked about the certificate");
        }
    }

    private Authentication OfToken(CallerCredentials credentials)
    {
        if (credentials.BearerToken is not { Length: > 0 and <= CompactJwt.MaxLength } text)
        {
            return credentials.BearerToken is null ? Authentication.Anonymous : Authentication.Failed("the token is empty or too long");
        }

        // All are compared, so that the time tells nothing of which was nearly right.
        var hash = TokenFile.HashOf(text);
        JoinToken? joined = null;
        foreach (var token in joinTokens)
        {
            joined = token.File.Holds(hash) ? token : joined;
        }

        if (joined is not null)
        {
            return Authentication.Of(new AuthenticatedCaller($"join token {joined.Name}", joined.Accounts));
        }

        if (loopbackToken is not null && loopbackToken.Holds(hash))
        {
            return allowLoopback && IsLocal(credentials.Remote)
                ? Authentication.Of(new AuthenticatedCaller("the loopback token", AccountSet.Any) { IsLocalUser = true })
                : Authentication.Failed("the loopback token is taken on this machine only");
        }

        if (issuers.Count == 0 || !CompactJwt.Parse(text, out var jwt).IsOk || jwt is null)
        {
            return Authentication.Failed("the token is none that is known here");
        }

        return issuers.FirstOrDefault(issuer => issuer.Issuer == jwt.Issuer) is { } verifier
            ? verifier.Verify(jwt)
            : Authentication.Failed("the token is of an issuer that is not known here");
    }

    private Authentication OfUser(CallerCredentials credentials)
        => allowLoopback && credentials is { UserId: { } user, Remote: null or UnixDomainSocketEndPoint }
            ? Authentication.Of(new AuthenticatedCaller($"user {user} of this machine", AccountSet.Any) { IsLocalUser = true })
            : Authentication.Anonymous;
}
