using System.Formats.Asn1;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Mesh.DataPlane.Tls;

/// <summary>The names in a certificate (RFC 5280, 4.2.1.6); the common name is none of them, as in Envoy.</summary>
internal sealed record SubjectAltNames(IReadOnlyList<SubjectAltName> Names)
{
    private const string Oid = "2.5.29.17";

    public static SubjectAltNames Of(X509Certificate2 certificate) => CertificateFacts.Of(certificate).Names;

    /// <summary>Reads them; <see cref="Of"/> does so once for each certificate.</summary>
    public static SubjectAltNames Read(X509Certificate2 certificate)
    {
        var names = new List<SubjectAltName>();
        foreach (var extension in certificate.Extensions)
        {
            if (extension.Oid?.Value == Oid)
            {
                try
                {
                    Read(extension.RawData, names);
                }
                catch (AsnContentException)
                {
                    // A list that cannot be read names nobody.
                    return new SubjectAltNames([]);
                }
            }
        }

        return new SubjectAltNames(names);
    }

    /// <summary>Whether the certificate is for a host: by DNS name, with wildcards for one label, or by address.</summary>
    public bool AreFor(string host)
    {
        var isAddress = IPAddress.TryParse(host, out var address);
        var text = isAddress ? address!.ToString() : host;
        foreach (var name in Names)
        {
            if (isAddress ? name.Type == SubjectAltNameType.IpAddress && name.Value == text
                : name.Type == SubjectAltNameType.Dns && DnsNames.Match(name.Value, text))
            {
                return true;
            }
        }

        return false;
    }

    public override string ToString() => Names.Count == 0 ? "nobody" : string.Join(", ", Names.Take(10).Select(n => n.Value));

    private static void Read(ReadOnlyMemory<byte> der, List<SubjectAltName> names)
    {
        var list = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
        while (list.HasData)
        {
            var tag = list.PeekTag();
            switch (tag.TagValue)
            {
                case 0:
                    ReadOther(list.ReadSequence(tag), names);
                    break;
                case 1:
                    names.Add(new(SubjectAltNameType.Email, list.ReadCharacterString(UniversalTagNumber.IA5String, tag)));
                    break;
                case 2:
                    names.Add(new(SubjectAltNameType.Dns, list.ReadCharacterString(UniversalTagNumber.IA5String, tag)));
                    break;
                case 6:
                    names.Add(new(SubjectAltNameType.Uri, list.ReadCharacterString(UniversalTagNumber.IA5String, tag)));
                    break;
                case 7 when list.ReadOctetString(tag) is { Length: 4 or 16 } address:
                    names.Add(new(SubjectAltNameType.IpAddress, new IPAddress(address).ToString()));
                    break;
                case 7:
                    break;
                default:
                    list.ReadEncodedValue();
                    break;
            }
        }
    }

    private static void ReadOther(AsnReader other, List<SubjectAltName> names)
    {
        var oid = other.ReadObjectIdentifier();
        var explicitValue = new Asn1Tag(TagClass.ContextSpecific, 0, isConstructed: true);
        var value = other.ReadSequence(explicitValue);
        var tag = value.PeekTag();
        if (tag.TagClass == TagClass.Universal
            && (UniversalTagNumber)tag.TagValue is UniversalTagNumber.UTF8String or UniversalTagNumber.IA5String or UniversalTagNumber.PrintableString)
        {
            names.Add(new(SubjectAltNameType.OtherName, value.ReadCharacterString((UniversalTagNumber)tag.TagValue), oid));
        }
    }
}

/// <summary>One name.</summary>
internal readonly record struct SubjectAltName(SubjectAltNameType Type, string Value, string Oid = "");

/// <summary>What a name is.</summary>
internal enum SubjectAltNameType
{
    Email,
    Dns,
    Uri,
    IpAddress,
    OtherName,
}
