using System.Security.Cryptography;
using Mesh.Identity;
using Mesh.Xds.Jwt;

namespace Mesh.ControlPlane.Security;

/// <summary>Verifies the JWTs of service accounts as Kubernetes issues them: <c>sub</c> is <c>system:serviceaccount:namespace:account</c>.</summary>
internal sealed class ServiceAccountTokenVerifier(string issuer, IReadOnlyCollection<string> audiences, string jwksFile, TimeProvider time)
{
    private const string SubjectPrefix = "system:serviceaccount:";
    private const int MaxBytes = 1 << 20;
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(60);

    private readonly Lock _gate = new();
    private FileStamp? _seen;
    private JsonWebKeySet? _keys;

    public string Issuer { get; } = issuer;

    /// <summary>Why the keys cannot be read now; <see langword="null"/> when they can.</summary>
    public string? Problem
    {
        get
        {
            lock (_gate)
            {
                _seen = null;
                return Refresh();
            }
        }
    }

    /// <summary>Judges a token of this issuer.</summary>
    public Authentication Verify(CompactJwt token)
    {
        JsonWebKeySet? keys;
        string? problem;
        lock (_gate)
        {
            problem = Refresh();
            keys = _keys;
        }

        if (keys is null)
        {
            return Authentication.Failed(problem ?? "the issuer's keys are not known");
        }

        var status = keys.Verify(token);
        status = status.IsOk ? token.CheckTime(time.GetUtcNow(), Skew) : status;
        if (!status.IsOk)
        {
            return Authentication.Failed(status.Text);
        }

        if (token.Expires is not { } expires)
        {
            return Authentication.Failed(JwtStatus.MissingExpiration.Text);
        }

        if (!token.Audiences.Any(audiences.Contains))
        {
            return Authentication.Failed($"the token is for {(token.Audiences.Count == 0 ? "nobody in particular" : string.Join(", ", token.Audiences.Take(4)))}, not for {string.Join(" or ", audiences)}");
        }

        if (!token.Subject.StartsWith(SubjectPrefix, StringComparison.Ordinal)
            || token.Subject[SubjectPrefix.Length..].Split(':') is not [var ns, var account]
            || !IsName(ns) || !IsName(account))
        {
            return Authentication.Failed($"the token's subject is not {SubjectPrefix}namespace:account");
        }

        var ends = expires < (ulong)DateTimeOffset.MaxValue.ToUnixTimeSeconds() ? DateTimeOffset.FromUnixTimeSeconds((long)expires) : (DateTimeOffset?)null;
        return Authentication.Of(new AuthenticatedCaller($"token of {ns}/{account} by {Issuer}", AccountSet.Of(ns, account), ends));
    }

    private static bool IsName(string text) => SpiffeId.TryParse($"spiffe://x/{text}", out var id) && id.Path == "/" + text;

    /// <summary>Reads the keys when the file has changed; keys that cannot be read leave the last good ones.</summary>
    private string? Refresh()
    {
        try
        {
            var seen = FileStamp.Of(jwksFile);
            if (seen is not null && _seen == seen)
            {
                return null;
            }

            if (seen is not { } file)
            {
                return $"the key set {jwksFile} does not exist";
            }

            if (file.Length > MaxBytes)
            {
                return $"the key set {jwksFile} has more than {MaxBytes} bytes";
            }

            var status = JsonWebKeySet.Parse(File.ReadAllText(jwksFile), out var keys);
            if (!status.IsOk)
            {
                return $"the key set {jwksFile} cannot be used: {status.Text}";
            }

            (_seen, _keys) = (seen, keys);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            return $"the key set {jwksFile} cannot be read: {e.Message}";
        }
    }
}
