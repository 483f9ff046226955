using System.Globalization;
using System.Net.Http;

namespace Mesh.DataPlane.Retry;

/// <summary>Waits as long as an upstream asks for in a header such as <c>retry-after</c> or <c>x-ratelimit-reset</c>, and up to half as long again.</summary>
/// <param name="Headers">Looked at in order; the first that can be read and does not ask for too much counts.</param>
/// <param name="Max">What a header may ask for at most; 300 seconds when unset.</param>
internal sealed record RateLimitedBackOff(RateLimitedBackOff.ResetHeader[] Headers, TimeSpan Max)
{
    public TimeSpan? Before(HttpResponseMessage response, DateTimeOffset now, ulong draw)
    {
        foreach (var header in Headers)
        {
            if (response.Headers.NonValidated.TryGetValues(header.Name, out var values)
                && long.TryParse(values.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                var seconds = header.IsUnixTimestamp ? number - now.ToUnixTimeSeconds() : number;
                if (seconds > 0 && seconds <= Max.TotalSeconds)
                {
                    var interval = TimeSpan.FromSeconds(seconds);
                    return interval + TimeSpan.FromTicks((long)Math.BigMul(draw, (ulong)interval.Ticks / 2, out _));
                }
            }
        }

        return null;
    }

    internal readonly record struct ResetHeader(string Name, bool IsUnixTimestamp);
}
