namespace Mesh.Xds.Client;

/// <summary>gRPC's connection back-off: 1 s, growing by 1.6 up to 120 s, each ± 20 %.</summary>
/// <param name="random">Spreads it.</param>
/// <param name="maximum">Where growth ends; <see langword="null"/>: gRPC's 120 s.</param>
internal sealed class ExponentialBackoff(IRandomSource random, TimeSpan? maximum = null)
{
    private const double Multiplier = 1.6;
    private const double Jitter = 0.2;
    private static readonly TimeSpan Initial = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan DefaultMaximum = TimeSpan.FromSeconds(120);
    private readonly TimeSpan _maximum = maximum ?? DefaultMaximum;
    private TimeSpan _next = Initial;

    public TimeSpan Next()
    {
        var current = _next;
        var grown = _next * Multiplier;
        _next = grown < _maximum ? grown : _maximum;
        return current * (1 - Jitter + (2 * Jitter * random.NextDouble()));
    }

    public void Reset() => _next = Initial;
}
