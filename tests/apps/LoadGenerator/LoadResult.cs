namespace LoadGenerator;

/// <summary>What came of a load.</summary>
public sealed record LoadResult(
    LoadOptions Options,
    DateTimeOffset Started,
    TimeSpan Took,
    LoadHistogram Latencies,
    LoadHistogram Sleeps,
    IReadOnlyDictionary<int, int> Codes,
    LoadHistogram HeaderSizes,
    LoadHistogram Sizes,
    LoadHistogram ConnectTimes)
{
    /// <summary>The code of a call that got no answer.</summary>
    public const int NoAnswer = -1;

    public int Calls => Latencies.Count;

    public double Qps => Took > TimeSpan.Zero ? Calls / Took.TotalSeconds : 0;

    /// <summary>Connections that were made; 0 where somebody else makes them.</summary>
    public int Sockets => ConnectTimes.Count;
}
