namespace Mesh.Xds.Client;

/// <summary>gRPC's connection back-off: 1 s, growing by 1.6 up to 120 s, each ± 20 %.</summary>
internal sealed class ExponentialBackoff(IRandomSource random)
{
    private const double Multiplier = 1.6;
    private const double Jitter = 0.2;
    private static readonly TimeSpan Initial = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Maximum = TimeSpan.FromSeconds(120);
    private TimeSpan _next = Initial;

    public TimeSpan Next()
    {
        var current = _next;
        var grown = _next * Multiplier;
        _next = grown < Maximum ? grown : Maximum;
        return current * (1 - Jitter + (2 * Jitter * random.NextDouble()));
    }

    public void Reset() => _next = Initial;
}
