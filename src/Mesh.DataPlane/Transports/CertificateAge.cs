using Mesh.Xds.Validation;

namespace Mesh.DataPlane.Transports;

/// <summary>How long connections last that must not outlive a certificate that they were made with: those that were made together do not end together.</summary>
internal static class CertificateAge
{
    private const double Shortest = 0.5;
    private const double Longest = 0.9;

    /// <param name="expires">When the certificate ends.</param>
    /// <param name="time">The clock.</param>
    /// <param name="random">Spreads the ends.</param>
    public static TimeSpan Until(DateTimeOffset expires, TimeProvider time, IRandomSource random)
    {
        var left = expires - time.GetUtcNow();
        var share = Shortest + ((Longest - Shortest) * (random.NextUInt64() / (double)ulong.MaxValue));
        return left > TimeSpan.Zero ? TimerRange.Limit(left * share) : TimeSpan.Zero;
    }
}
