using System.Globalization;

namespace LoadGenerator.Reporting;

/// <summary>The lines that Fortio prints, so that eyes and scripts that know them read these.</summary>
public static class TextReport
{
    /// <summary>What is said before the load begins.</summary>
    public static void WriteStart(TextWriter writer, LoadOptions options)
    {
        var processors = Environment.ProcessorCount;
        var (each, left) = LoadRun.Share(options);
        var amount = options.Exactly > 0 ? $"{options.Exactly} calls" : GoDuration.Format(options.Duration);
        Line(writer, $"Load running at {GoNumber.General(options.Qps)} queries per second, {processors}->{processors} procs, for {amount}: {options.Url}");
        var threads = $"{options.Connections} thread(s) [gomax {processors}]";
        Line(writer, $"{(options.Qps, options.Exactly) switch
        {
            (0, 0) => $"Starting at max qps with {threads} for {GoDuration.Format(options.Duration)}",
            (0, _) => $"Starting at max qps with {threads} for exactly {options.Exactly} calls ({each} per thread + {left})",
            (_, 0) => $"Starting at {GoNumber.General(options.Qps)} qps with {threads} for {GoDuration.Format(options.Duration)} : {each} calls each (total {each * options.Connections})",
            _ => $"Starting at {GoNumber.General(options.Qps)} qps with {threads} : exactly {options.Exactly}, {each} calls each (total {each * options.Connections} + {left})",
        }}");
    }

    public static void Write(TextWriter writer, LoadResult result)
    {
        var options = result.Options;
        Line(writer, $"Ended after {GoDuration.Format(result.Took)} : {result.Calls} calls. qps={GoNumber.General(result.Qps, 5)}");
        if (result.Sleeps.Count > 0)
        {
            WriteCounter(writer, "Sleep times", result.Sleeps);
        }

        WriteHistogram(writer, "Aggregated Function Time", result.Latencies, options.Percentiles);
        if (result.Sockets > 0)
        {
            WriteHistogram(writer, "Connection time histogram (s)", result.ConnectTimes, options.Percentiles);
            Line(writer, $"Sockets used: {result.Sockets} (for perfect keepalive, would be {Math.Min(options.Connections, result.Calls)})");
        }

        foreach (var (code, count) in result.Codes)
        {
            Line(writer, $"Code {code,3} : {count} ({100.0 * count / result.Calls:F1} %)");
        }

        WriteCounter(writer, "Response Header Sizes", result.HeaderSizes);
        WriteCounter(writer, "Response Body/Total Sizes", result.Sizes);
        Line(writer, $"All done {result.Calls} calls (plus 0 warmup) {1000 * result.Latencies.Average:F3} ms avg, {result.Qps:F1} qps");
    }

    private static void WriteHistogram(TextWriter writer, string name, LoadHistogram histogram, IEnumerable<double> percentiles)
    {
        WriteCounter(writer, name, histogram);
        writer.Write("# range, mid point, percentile, count\n");
        var sign = ">=";
        foreach (var bucket in histogram.Buckets)
        {
            var middle = (bucket.Start + bucket.End) / 2;
            Line(writer, $"{sign} {GoNumber.General(bucket.Start, 6)} <= {GoNumber.General(bucket.End, 6)} , {GoNumber.General(middle, 6)} , {bucket.Percent:F2}, {bucket.Count}");
            sign = ">";
        }

        foreach (var percentile in percentiles)
        {
            Line(writer, $"# target {GoNumber.General(percentile)}% {GoNumber.General(histogram.Percentile(percentile), 6)}");
        }
    }

    private static void WriteCounter(TextWriter writer, string name, LoadHistogram values)
        => Line(writer, $"{name} : count {values.Count} avg {GoNumber.General(values.Average, 8)} +/- {GoNumber.General(values.StandardDeviation, 4)} min {GoNumber.General(values.Min)} max {GoNumber.General(values.Max)} sum {GoNumber.General(values.Sum, 9)}");

    private static void Line(TextWriter writer, FormattableString line) => writer.Write(line.ToString(CultureInfo.InvariantCulture) + "\n");
}
