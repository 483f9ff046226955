using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Mesh.DataPlane.Tls;

/// <summary>
/// A certificate authority's list of the certificates that it has taken back (RFC 5280, section 5). The framework knows such lists only where it fetches
/// them by itself. What a list says in a way that is not understood makes it unusable, since a part of it would be left out.
/// </summary>
internal sealed class RevocationList
{
    private const string DeltaIndicator = "2.5.29.27";
    private const string IssuingDistributionPoint = "2.5.29.28";
    private static readonly Comparer<ReadOnlyMemory<byte>> _bySize = Comparer<ReadOnlyMemory<byte>>.Create(Compare);
    private static readonly Asn1Tag _extensions = new(TagClass.ContextSpecific, 0, isConstructed: true);

    private readonly ReadOnlyMemory<byte> _signed;
    private readonly ReadOnlyMemory<byte> _algorithm;
    private readonly byte[] _signature;
    private readonly ReadOnlyMemory<byte> _issuer;
    private readonly ReadOnlyMemory<byte>[] _serials;
    private volatile byte[]? _signer;

    private RevocationList(
        ReadOnlyMemory<byte> signed, ReadOnlyMemory<byte> algorithm, byte[] signature, ReadOnlyMemory<byte> issuer, DateTimeOffset thisUpdate, DateTimeOffset? nextUpdate, ReadOnlyMemory<byte>[] serials)
    {
        (_signed, _algorithm, _signature, _issuer, _serials) = (signed, algorithm, signature, issuer, serials);
        (ThisUpdate, NextUpdate) = (thisUpdate, nextUpdate);
        Array.Sort(_serials, _bySize);
    }

    /// <summary>When it was made.</summary>
    public DateTimeOffset ThisUpdate { get; }

    /// <summary>When the next one was to be there; the list counts no longer then.</summary>
    public DateTimeOffset? NextUpdate { get; }

    /// <summary>How many certificates it has.</summary>
    public int Count => _serials.Length;

    /// <param name="der">The encoded list.</param>
    /// <exception cref="CryptographicException">It is none, or of a kind that is not understood.</exception>
    public static RevocationList Parse(ReadOnlyMemory<byte> der)
    {
        try
        {
            var list = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
            var signed = list.PeekEncodedValue();
            var content = list.ReadSequence();
            var algorithm = list.ReadEncodedValue();
            var signature = list.ReadBitString(out _);
            list.ThrowIfNotEmpty();
            if (content.PeekTag() == Asn1Tag.Integer)
            {
                content.ReadInteger();
            }

            if (!content.ReadEncodedValue().Span.SequenceEqual(algorithm.Span))
            {
                throw new CryptographicException("The list names two algorithms for its one signature.");
            }

            var issuer = content.ReadEncodedValue();
            var thisUpdate = ReadTime(content);
            DateTimeOffset? nextUpdate = content.HasData && content.PeekTag() is var tag && (tag == Asn1Tag.UtcTime || tag == Asn1Tag.GeneralizedTime) ? ReadTime(content) : null;
            var serials = content.HasData && content.PeekTag() == Asn1Tag.Sequence ? ReadEntries(content.ReadSequence()) : [];
            if (content.HasData)
            {
                CheckExtensions(content.ReadSequence(_extensions).ReadSequence());
            }

            return new RevocationList(signed, algorithm, signature, issuer, thisUpdate, nextUpdate, serials);
        }
        catch (AsnContentException e)
        {
            throw new CryptographicException("The list of revoked certificates is not well-formed.", e);
        }
    }

    /// <summary>Whether an authority of that name has made it, according to the list itself.</summary>
    public bool IsOf(X500DistinguishedName issuer) => _issuer.Span.SequenceEqual(issuer.RawData);

    public bool Contains(X509Certificate2 certificate)
        => Array.BinarySearch(_serials, Trim(certificate.SerialNumberBytes), _bySize) >= 0;

    /// <summary>Whether the authority has signed it. That it has is remembered.</summary>
    public bool IsSignedBy(X509Certificate2 authority)
    {
        if (_signer is { } known && authority.RawDataMemory.Span.SequenceEqual(known))
        {
            return true;
        }

        try
        {
            if (!CertificateSignature.IsValid(authority, _algorithm, _signed.Span, _signature))
            {
                return false;
            }
        }
        catch (Exception e) when (e is AsnContentException or CryptographicException)
        {
            return false;
        }

        _signer = authority.RawData;
        return true;
    }

    private static DateTimeOffset ReadTime(AsnReader reader)
        => reader.PeekTag() == Asn1Tag.UtcTime ? reader.ReadUtcTime() : reader.ReadGeneralizedTime();

    private static ReadOnlyMemory<byte>[] ReadEntries(AsnReader entries)
    {
        var serials = new List<ReadOnlyMemory<byte>>();
        while (entries.HasData)
        {
            var entry = entries.ReadSequence();
            serials.Add(Trim(entry.ReadIntegerBytes()));
            ReadTime(entry);
            if (entry.HasData)
            {
                CheckExtensions(entry.ReadSequence());
            }
        }

        return [.. serials];
    }

    // What is critical changes what the list means: it is for a part of the certificates, for those of others, or on top of another list.
    private static void CheckExtensions(AsnReader extensions)
    {
        while (extensions.HasData)
        {
            var extension = extensions.ReadSequence();
            var oid = extension.ReadObjectIdentifier();
            var isCritical = extension.HasData && extension.PeekTag() == Asn1Tag.Boolean && extension.ReadBoolean();
            if (isCritical || oid is DeltaIndicator or IssuingDistributionPoint)
            {
                throw new CryptographicException(oid switch
                {
                    DeltaIndicator => "The list is an addition to another one (a delta CRL), which is not supported.",
                    IssuingDistributionPoint => "The list is for a part of the authority's certificates only (issuingDistributionPoint), which is not supported.",
                    _ => $"The list has the critical extension {oid}, which is not supported.",
                });
            }
        }
    }

    // A serial number may have been written with leading zeros.
    private static ReadOnlyMemory<byte> Trim(ReadOnlyMemory<byte> number) => number[(number.Span.IndexOfAnyExcept((byte)0) is var first && first < 0 ? number.Length : first)..];

    private static int Compare(ReadOnlyMemory<byte> a, ReadOnlyMemory<byte> b)
        => a.Length != b.Length ? a.Length.CompareTo(b.Length) : a.Span.SequenceCompareTo(b.Span);
}
