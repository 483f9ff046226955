using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Mesh.DataPlane.Inbound.Http;

/// <summary>Writes distinguished names as RFC 2253 has them, which is how Envoy shows the subjects of certificates.</summary>
internal static class DistinguishedNames
{
    /// <summary><c>CN=a,O=b\, c</c>; empty for none.</summary>
    public static string Text(X500DistinguishedName name)
    {
        var text = new StringBuilder();
        foreach (var part in name.EnumerateRelativeDistinguishedNames())
        {
            if (part.HasMultipleElements)
            {
                // Nobody issues them, and the framework does not open them.
                return name.Decode(X500DistinguishedNameFlags.Reversed | X500DistinguishedNameFlags.UseCommas | X500DistinguishedNameFlags.DoNotUseQuotes);
            }

            if (text.Length > 0)
            {
                text.Append(',');
            }

            var type = part.GetSingleElementType();
            text.Append(type.Value switch
            {
                "1.2.840.113549.1.9.1" => "emailAddress",
                "2.5.4.8" => "ST",
                "2.5.4.9" => "street",
                "2.5.4.5" => "serialNumber",
                "0.9.2342.19200300.100.1.1" => "UID",
                "0.9.2342.19200300.100.1.25" => "DC",
                "2.5.4.3" => "CN",
                "2.5.4.6" => "C",
                "2.5.4.7" => "L",
                "2.5.4.10" => "O",
                "2.5.4.11" => "OU",
                var other => other,
            });
            text.Append('=');
            Escape(text, part.GetSingleElementValue() ?? "");
        }

        return text.ToString();
    }

    private static void Escape(StringBuilder text, string value)
    {
        for (var i = 0; i < value.Length; i++)
        {
            var c = value[i];
            if (c is ',' or '+' or '"' or '\\' or '<' or '>' or ';' || (i == 0 && c is ' ' or '#') || (i == value.Length - 1 && c == ' '))
            {
                text.Append('\\').Append(c);
            }
            else if (c < ' ' || c > '~')
            {
                foreach (var octet in Encoding.UTF8.GetBytes(char.IsHighSurrogate(c) && i + 1 < value.Length ? value.Substring(i++, 2) : c.ToString()))
                {
                    text.Append('\\').Append(octet.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
                }
            }
            else
            {
                text.Append(c);
            }
        }
    }
}
