using System.Security.Cryptography.X509Certificates;

namespace Mesh.DataPlane.Inbound;

/// <summary>
/// The certificates that led from accepted peers to their authorities. A session that is resumed brings the peer's certificate alone (its ticket holds no more),
/// and without them its chain could not be built again. They help to find a way and are not trusted themselves; their number is bounded.
/// </summary>
internal sealed class SeenIntermediates
{
    private const int Max = 64;

    private readonly Lock _sync = new();
    private X509Certificate2[] _seen = [];

    /// <summary>Lets a chain be built by way of them.</summary>
    public void AddTo(X509ChainPolicy policy)
    {
        var seen = Volatile.Read(ref _seen);
        if (seen.Length > 0)
        {
            policy.ExtraStore.AddRange(seen);
        }
    }

    /// <summary>Takes those of a chain whose peer has been accepted.</summary>
    /// <returns>What the peer has shown beside its certificate; when it has resumed a session, what leads from it to an authority.</returns>
    public IReadOnlyList<X509Certificate2> Learn(X509Chain chain)
    {
        var store = chain.ChainPolicy.ExtraStore;
        if (store.Count == 0)
        {
            return [];
        }

        List<X509Certificate2>? between = null;
        for (var depth = 1; depth < chain.ChainElements.Count; depth++)
        {
            var certificate = chain.ChainElements[depth].Certificate;
            if (!certificate.IssuerName.RawData.AsSpan().SequenceEqual(certificate.SubjectName.RawData))
            {
                (between ??= []).Add(Find(certificate) ?? Add(X509CertificateLoader.LoadCertificate(certificate.RawDataMemory.Span)));
            }
        }

        var seen = Volatile.Read(ref _seen);
        var shown = store.Where(certificate => !Array.Exists(seen, s => ReferenceEquals(s, certificate))).ToList();
        return shown.Count > 0 ? shown : between ?? [];
    }

    private X509Certificate2? Find(X509Certificate2 certificate)
        => Array.Find(Volatile.Read(ref _seen), seen => seen.RawDataMemory.Span.SequenceEqual(certificate.RawDataMemory.Span));

    private X509Certificate2 Add(X509Certificate2 certificate)
    {
        lock (_sync)
        {
            if (Find(certificate) is { } known)
            {
                return known;
            }

            // The oldest makes room, and is not disposed: a handshake may have it in hand.
            _seen = [.. _seen.AsSpan(_seen.Length < Max ? 0 : 1), certificate];
            return certificate;
        }
    }
}
