namespace Mesh.Testing;

/// <summary>
/// Chance without luck: the range is cut into equal parts and each part is drawn once in every period. With 100 parts, any 100 requests in a
/// row are split 90/10 exactly when the weights say so.
/// </summary>
public sealed class EvenRandomSource : IRandomSource
{
    private readonly ulong _period;
    private readonly ulong _stride;
    private ulong _draws = ulong.MaxValue;

    /// <summary>Draws each of the parts once in a period.</summary>
    /// <param name="period">How many parts; the sum of the weights, or a multiple of it, makes splits exact.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="period"/> is less than 1.</exception>
    public EvenRandomSource(int period = 100)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(period, 1);
        _period = (ulong)period;
        _stride = StrideOf(_period);
    }

    /// <inheritdoc/>
    public ulong NextUInt64()
    {
        // The middle of a part: rounding cannot move it into the next.
        var part = Interlocked.Increment(ref _draws) % _period * _stride % _period;
        var width = ulong.MaxValue / _period;
        return (part * width) + (width / 2);
    }

    // Near the golden section of the period, and without a common divisor: neighbours in the sequence are far apart in the range.
    private static ulong StrideOf(ulong period)
    {
        for (var stride = Math.Max(1, (ulong)(period * 0.618)); ; stride++)
        {
            if (GreatestCommonDivisor(stride, period) == 1)
            {
                return stride;
            }
        }
    }

    private static ulong GreatestCommonDivisor(ulong a, ulong b) => b == 0 ? a : GreatestCommonDivisor(b, a % b);
}
