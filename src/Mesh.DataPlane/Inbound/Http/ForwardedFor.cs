using System.Net;

namespace Mesh.DataPlane.Inbound.Http;

/// <summary>Reads <c>x-forwarded-for</c> from its end, as Envoy does: who wrote the last address is whoever connected, and nobody before is believed further than told.</summary>
internal static class ForwardedFor
{
    public const string Header = "x-forwarded-for";

    /// <param name="value">The header, its lines joined by commas; <see langword="null"/> for none.</param>
    /// <param name="skip">How many addresses at the end are those of trusted proxies.</param>
    /// <returns>The address, if there is one at that place; and whether it is the only one.</returns>
    public static (IPAddress? Address, bool IsOnly) Last(string? value, int skip)
    {
        if (string.IsNullOrEmpty(value))
        {
            return (null, false);
        }

        var rest = value.AsSpan();
        for (var i = 0; i < skip; i++)
        {
            var comma = rest.LastIndexOf(',');
            if (comma < 0)
            {
                return (null, false);
            }

            rest = rest[..comma];
        }

        var last = rest.LastIndexOf(',');

        // Digits and dots that are no dotted quad (127.1) would be an address to some readers and none to others.
        return Parse(rest[(last + 1)..].Trim(' ')) is { } address ? (address, last < 0 && skip == 0) : (null, false);
    }

    private static IPAddress? Parse(ReadOnlySpan<char> text)
        => IPAddress.TryParse(text, out var address) && !text.ContainsAny('[', '%') && (text.Contains(':') || text.Count('.') == 3) ? address : null;
}
