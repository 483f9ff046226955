using System.Globalization;

namespace LoadGenerator.Reporting;

/// <summary>Numbers as Go's <c>%g</c> writes them.</summary>
internal static class GoNumber
{
    private const int ShortestExponentLimit = 21;

    /// <summary><c>%.{digits}g</c>.</summary>
    public static string General(double value, int digits) => Write(value.ToString("E" + (digits - 1), CultureInfo.InvariantCulture), digits);

    /// <summary><c>%g</c>: as few digits as say which number it is.</summary>
    public static string General(double value)
    {
        var digits = value.ToString("E16", CultureInfo.InvariantCulture);
        for (var precision = 1; precision < 17; precision++)
        {
            var shorter = value.ToString("E" + (precision - 1), CultureInfo.InvariantCulture);
            if (double.Parse(shorter, CultureInfo.InvariantCulture).Equals(value))
            {
                digits = shorter;
                break;
            }
        }

        return Write(digits, ShortestExponentLimit);
    }

    // From d.ddddE+eee: exponents below -4 and of as many digits as asked for stay, all others become places.
    private static string Write(string scientific, int limit)
    {
        var at = scientific.IndexOf('E', StringComparison.Ordinal);
        var exponent = int.Parse(scientific.AsSpan(at + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var sign = scientific[0] == '-' ? "-" : "";
        var digits = scientific[sign.Length..at].Replace(".", "", StringComparison.Ordinal).TrimEnd('0');
        if (digits.Length == 0)
        {
            return "0";
        }

        if (exponent < -4 || exponent >= limit)
        {
            var fraction = digits.Length > 1 ? "." + digits[1..] : "";
            return string.Create(CultureInfo.InvariantCulture, $"{sign}{digits[0]}{fraction}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}");
        }

        if (exponent < 0)
        {
            return sign + "0." + new string('0', -exponent - 1) + digits;
        }

        var whole = digits.PadRight(exponent + 1, '0');
        return whole.Length == exponent + 1 ? sign + whole : $"{sign}{whole[..(exponent + 1)]}.{whole[(exponent + 1)..]}";
    }
}
