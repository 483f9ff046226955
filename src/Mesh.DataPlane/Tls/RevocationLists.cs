using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Mesh.DataPlane.Tls;

/// <summary>
/// What authorities have taken back. As in Envoy, once there is any list, every authority of a chain must have one: a chain of which a part cannot be looked
/// up is refused.
/// </summary>
internal sealed class RevocationLists(IReadOnlyList<RevocationList> lists)
{
    private const string Label = "X509 CRL";
    private const string Begin = $"-----BEGIN {Label}-----";

    public static RevocationLists None { get; } = new([]);

    public bool IsEmpty => lists.Count == 0;

    /// <summary>Reads the lists among what a PEM text has.</summary>
    /// <exception cref="CryptographicException">One of them cannot be used.</exception>
    public static RevocationLists FromPem(ReadOnlySpan<char> pem)
    {
        var lists = new List<RevocationList>();
        var begun = pem.Count(Begin);
        while (PemEncoding.TryFind(pem, out var fields))
        {
            if (pem[fields.Label] is Label)
            {
                var der = new byte[fields.DecodedDataLength];
                Convert.TryFromBase64Chars(pem[fields.Base64Data], der, out _);
                lists.Add(RevocationList.Parse(der));
            }

            pem = pem[fields.Location.End..];
        }

        // The framework passes over what is not well-formed.
        return lists.Count != begun ? throw new CryptographicException($"There are {begun} lists of revoked certificates in it, of which {lists.Count} can be read.")
            : lists.Count == 0 ? None : new RevocationLists(lists);
    }

    public static bool IsIn(ReadOnlySpan<char> pem) => pem.Contains(Begin, StringComparison.Ordinal);

    public RevocationLists With(RevocationLists others) => IsEmpty ? others : others.IsEmpty ? this : new RevocationLists([.. lists, .. others.Items]);

    /// <summary>Looks up a chain.</summary>
    /// <param name="chain">From the peer's certificate to the authority's, as the framework has built it.</param>
    /// <param name="leafOnly">Whether the authorities between may have been taken back themselves (<c>only_verify_leaf_cert_crl</c>).</param>
    /// <returns>What is wrong, in the words of OpenSSL; <see langword="null"/> when nothing is.</returns>
    public string? Check(X509Chain chain, bool leafOnly)
    {
        if (IsEmpty)
        {
            return null;
        }

        var now = new DateTimeOffset(chain.ChainPolicy.VerificationTime.ToUniversalTime());
        for (var depth = 0; depth < (leafOnly ? 1 : chain.ChainElements.Count); depth++)
        {
            if (Check(chain, depth, now) is { } problem)
            {
                return ChainErrors.At(depth, problem);
            }
        }

        return null;
    }

    private IReadOnlyList<RevocationList> Items => lists;

    private string? Check(X509Chain chain, int depth, DateTimeOffset now)
    {
        var certificate = chain.ChainElements[depth].Certificate;
        var isSelfIssued = certificate.IssuerName.RawData.AsSpan().SequenceEqual(certificate.SubjectName.RawData);
        var issuer = depth + 1 < chain.ChainElements.Count ? chain.ChainElements[depth + 1].Certificate : isSelfIssued ? certificate : null;
        string? problem = "unable to get certificate CRL";
        foreach (var list in lists)
        {
            if (!list.IsOf(certificate.IssuerName))
            {
                continue;
            }

            if (issuer is null)
            {
                return "unable to get CRL issuer certificate";
            }

            var listProblem = !list.IsSignedBy(issuer) ? "CRL signature failure"
                : !MaySignLists(issuer) ? "key usage does not include CRL signing"
                : list.Contains(certificate) ? "certificate revoked"
                : list.ThisUpdate > now ? "CRL is not yet valid"
                : list.NextUpdate < now ? "CRL has expired"
                : null;
            if (listProblem is "certificate revoked")
            {
                return listProblem;
            }

            // One that counts is enough, whatever is wrong with older ones of the same authority.
            problem = problem is null || listProblem is null ? null : listProblem;
        }

        return problem;
    }

    private static bool MaySignLists(X509Certificate2 issuer)
        => issuer.Extensions.OfType<X509KeyUsageExtension>().All(usage => usage.KeyUsages.HasFlag(X509KeyUsageFlags.CrlSign));
}
