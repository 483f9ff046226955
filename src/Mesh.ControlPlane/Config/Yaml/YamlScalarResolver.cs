using System.Globalization;

namespace Mesh.ControlPlane.Config.Yaml;

/// <summary>
/// What a plain scalar means to Kubernetes, which reads YAML 1.1 with go-yaml v2 and hands JSON on: <c>yes</c> and <c>on</c> are
/// booleans, <c>0x1F</c> and <c>010</c> are integers, <c>1_000</c> too, and a date stays a string.
/// </summary>
internal static class YamlScalarResolver
{
    public static YamlScalarType Resolve(string text)
    {
        if (text.Length == 0)
        {
            return YamlScalarType.Null;
        }

        switch (text)
        {
            case "~" or "null" or "Null" or "NULL":
                return YamlScalarType.Null;
            case ".nan" or ".NaN" or ".NAN" or ".inf" or ".Inf" or ".INF" or "+.inf" or "+.Inf" or "+.INF" or "-.inf" or "-.Inf" or "-.INF":
                return YamlScalarType.Float;
        }

        if (TryBoolean(text, out _))
        {
            return YamlScalarType.Boolean;
        }

        if (!char.IsAsciiDigit(text[0]) && text[0] is not ('+' or '-' or '.'))
        {
            return YamlScalarType.String;
        }

        return TryInteger(text, out _) ? YamlScalarType.Integer : TryFloat(text, out _) ? YamlScalarType.Float : YamlScalarType.String;
    }

    public static bool TryBoolean(string text, out bool value)
    {
        switch (text)
        {
            case "true" or "True" or "TRUE" or "yes" or "Yes" or "YES" or "on" or "On" or "ON" or "y" or "Y":
                value = true;
                return true;
            case "false" or "False" or "FALSE" or "no" or "No" or "NO" or "off" or "Off" or "OFF" or "n" or "N":
                value = false;
                return true;
            default:
                value = false;
                return false;
        }
    }

    public static bool TryInteger(string text, out Int128 value)
    {
        value = 0;
        if (text.Length > 80)
        {
            return false;
        }

        var digits = text.Replace("_", "", StringComparison.Ordinal).AsSpan();
        var negative = digits.StartsWith("-");
        if (negative || digits.StartsWith("+"))
        {
            digits = digits[1..];
        }

        var radix = 10;
        if (digits.Length > 1 && digits[0] == '0')
        {
            (radix, var skip) = digits[1] switch
            {
                'x' or 'X' => (16, 2),
                'b' or 'B' => (2, 2),
                'o' or 'O' => (8, 2),
                _ => (8, 1),
            };
            digits = digits[skip..];
        }

        if (digits.IsEmpty)
        {
            return false;
        }

        foreach (var c in digits)
        {
            var digit = char.IsAsciiHexDigit(c) ? Convert.ToInt32(c.ToString(), 16) : radix;
            // Beyond 64 bits no field can hold it: it only has to stay a number.
            if (digit >= radix || value > Int128.MaxValue / 32)
            {
                return false;
            }

            value = (value * radix) + digit;
        }

        value = negative ? -value : value;
        return true;
    }

    public static bool TryFloat(string text, out double value)
    {
        value = text switch
        {
            ".nan" or ".NaN" or ".NAN" => double.NaN,
            ".inf" or ".Inf" or ".INF" or "+.inf" or "+.Inf" or "+.INF" => double.PositiveInfinity,
            "-.inf" or "-.Inf" or "-.INF" => double.NegativeInfinity,
            _ => 0,
        };
        if (value != 0)
        {
            return true;
        }

        const NumberStyles style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        var digits = text.Replace("_", "", StringComparison.Ordinal);
        return digits.AsSpan().ContainsAnyInRange('0', '9') && double.TryParse(digits, style, CultureInfo.InvariantCulture, out value);
    }
}
