using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;

namespace Mesh.ControlPlane.Security;

/// <summary>The extension of a certificate that names whom it is for (RFC 5280, section 4.2.1.6).</summary>
internal static class SubjectAltName
{
    public const string Oid = "2.5.29.17";

    private const int MaxNames = 64;
    private static readonly Asn1Tag Uri = new(TagClass.ContextSpecific, 6);

    /// <summary>One URI, as it is: the framework's builder would rewrite it. Critical, since the subject is empty.</summary>
    public static X509Extension OfUri(string uri)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteCharacterString(UniversalTagNumber.IA5String, uri, Uri);
        }

        return new X509Extension(Oid, writer.Encode(), critical: true);
    }

    /// <summary>The URIs of the extension, in order; <see langword="false"/> when it is malformed.</summary>
    public static bool TryReadUris(ReadOnlyMemory<byte> extension, out List<string> uris)
    {
        uris = [];
        try
        {
            var reader = new AsnReader(extension, AsnEncodingRules.DER);
            var names = reader.ReadSequence();
            reader.ThrowIfNotEmpty();
            for (var i = 0; names.HasData; i++)
            {
                if (i == MaxNames)
                {
                    return false;
                }

                if (names.PeekTag().HasSameClassAndValue(Uri))
                {
                    uris.Add(names.ReadCharacterString(UniversalTagNumber.IA5String, Uri));
                }
                else
                {
                    names.ReadEncodedValue();
                }
            }

            return true;
        }
        catch (AsnContentException)
        {
            return false;
        }
    }
}
