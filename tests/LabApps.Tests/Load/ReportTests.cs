using System.Text.Json;
using LoadGenerator;
using LoadGenerator.Reporting;

namespace LabApps.Tests.Load;

/// <summary>The report of a run that is known to the digit, laid beside what Fortio prints of the same.</summary>
public sealed class ReportTests
{
    // Twenty calls whose buckets are those of the circuit breaker lab.
    private static readonly double[] Seconds =
    [
        0.000337612, 0.0005, 0.0006, 0.0007, 0.001, 0.0012, 0.0014, 0.0016, 0.0018, 0.002, 0.0025, 0.0032, 0.0034, 0.0036, 0.0045, 0.0055, 0.0095, 0.021, 0.024, 0.026969444,
    ];

    [Fact]
    public void Prints_the_lines_of_the_lab()
    {
        var writer = new StringWriter();

        TextReport.Write(writer, Result());

        writer.ToString().ShouldStartWith("Ended after 41.5702ms : 20 calls. qps=481.11\nAggregated Function Time : count 20 avg 0.00");
        writer.ToString().ShouldContain("""
            # range, mid point, percentile, count
            >= 0.000337612 <= 0.001 , 0.000668806 , 25.00, 5
            > 0.001 <= 0.002 , 0.0015 , 50.00, 5
            > 0.002 <= 0.003 , 0.0025 , 55.00, 1
            > 0.003 <= 0.004 , 0.0035 , 70.00, 3
            > 0.004 <= 0.005 , 0.0045 , 75.00, 1
            > 0.005 <= 0.006 , 0.0055 , 80.00, 1
            > 0.009 <= 0.01 , 0.0095 , 85.00, 1
            > 0.02 <= 0.025 , 0.0225 , 95.00, 2
            > 0.025 <= 0.0269694 , 0.0259847 , 100.00, 1
            # target 50% 0.002
            # target 75% 0.005
            # target 90% 0.0225
            # target 99% 0.0265756
            # target 99.9% 0.02693
            """.ReplaceLineEndings("\n"));
        writer.ToString().ShouldContain("""
            Sockets used: 15 (for perfect keepalive, would be 3)
            Code 200 : 8 (40.0 %)
            Code 503 : 12 (60.0 %)
            Response Header Sizes : count 20 avg 92.4 +/- 113.2 min 0 max 231 sum 1848
            Response Body/Total Sizes : count 20 avg 368.6 +/- 185.7 min 217 max 596 sum 7372
            All done 20 calls (plus 0 warmup) 5.765 ms avg, 481.1 qps
            """.ReplaceLineEndings("\n"));
    }

    [Theory]
    [InlineData("-c 3 -qps 0 -n 20", "Starting at max qps with 3 thread(s) [gomax *] for exactly 20 calls (6 per thread + 2)")]
    [InlineData("-c 4 -qps 0 -t 5s", "Starting at max qps with 4 thread(s) [gomax *] for 5s")]
    [InlineData("", "Starting at 8 qps with 4 thread(s) [gomax *] for 5s : 10 calls each (total 40)")]
    [InlineData("-qps 100 -n 50", "Starting at 100 qps with 4 thread(s) [gomax *] : exactly 50, 12 calls each (total 48 + 2)")]
    public void Says_what_it_is_about_to_do(string flags, string expected)
    {
        var writer = new StringWriter();

        TextReport.WriteStart(writer, LoadOptions.Parse([.. flags.Split(' ', StringSplitOptions.RemoveEmptyEntries), "http://httpbin:8000/get"]));

        writer.ToString().Split('\n')[1].Replace($"[gomax {Environment.ProcessorCount}]", "[gomax *]", StringComparison.Ordinal).ShouldBe(expected);
    }

    [Fact]
    public void Writes_the_JSON_that_its_readers_know()
    {
        using var json = JsonDocument.Parse(JsonReport.Write(Result()));
        var root = json.RootElement;

        root.GetProperty("RequestedQPS").GetString().ShouldBe("max");
        root.GetProperty("RequestedDuration").GetString().ShouldBe("exactly 20 calls");
        root.GetProperty("ActualDuration").GetDouble().ShouldBe(41_570_200);
        root.GetProperty("NumThreads").GetInt32().ShouldBe(3);
        root.GetProperty("RetCodes").EnumerateObject().Select(code => (code.Name, code.Value.GetInt32())).ShouldBe([("200", 8), ("503", 12)]);
        root.GetProperty("SocketCount").GetInt32().ShouldBe(15);
        var durations = root.GetProperty("DurationHistogram");
        durations.GetProperty("Count").GetInt32().ShouldBe(20);
        durations.GetProperty("Data")[1].GetRawText().ReplaceLineEndings("").Replace(" ", "", StringComparison.Ordinal).ShouldBe("""{"Start":0.001,"End":0.002,"Percent":50,"Count":5}""");
        durations.GetProperty("Percentiles").EnumerateArray().Select(entry => entry.GetProperty("Percentile").GetDouble()).ShouldBe([50, 75, 90, 99, 99.9]);
        durations.GetProperty("Percentiles")[2].GetProperty("Value").GetDouble().ShouldBe(0.0225, 1e-9);
    }

    [Theory]
    [InlineData(0, "0")]
    [InlineData(0.000337612, "0.000337612")]
    [InlineData(0.00001, "1e-05")]
    [InlineData(123456789, "123456789")]
    [InlineData(1e21, "1e+21")]
    [InlineData(-2.5, "-2.5")]
    [InlineData(0.1, "0.1")]
    public void Writes_numbers_as_Go_does(double value, string text) => GoNumber.General(value).ShouldBe(text);

    [Theory]
    [InlineData(1234567, "1.235e+06")]
    [InlineData(1234, "1234")]
    [InlineData(0.0078641, "0.007864")]
    [InlineData(9999.6, "1e+04")]
    public void Rounds_numbers_as_Go_does(double value, string text) => GoNumber.General(value, 4).ShouldBe(text);

    [Theory]
    [InlineData(0, "0s")]
    [InlineData(12, "1.2µs")]
    [InlineData(415_702, "41.5702ms")]
    [InlineData(50_010_000, "5.001s")]
    [InlineData(900_000_000, "1m30s")]
    [InlineData(36_000_000_000, "1h0m0s")]
    public void Writes_durations_as_Go_does(long ticks, string text) => GoDuration.Format(TimeSpan.FromTicks(ticks)).ShouldBe(text);

    private static LoadResult Result()
    {
        var (latencies, headers, sizes, connects) = (new LoadHistogram(), new LoadHistogram(1), new LoadHistogram(1), new LoadHistogram());
        foreach (var (seconds, i) in Seconds.Select((seconds, i) => (seconds, i)))
        {
            latencies.Record(seconds);
            headers.Record(i < 8 ? 231 : 0);
            sizes.Record(i < 8 ? 596 : 217);
        }

        for (var i = 0; i < 15; i++)
        {
            connects.Record(0.0005);
        }

        return new LoadResult(
            LoadOptions.Parse("load -c 3 -qps 0 -n 20 http://httpbin:8000/get".Split(' ')),
            DateTimeOffset.UnixEpoch,
            TimeSpan.FromTicks(415_702),
            latencies,
            new LoadHistogram(),
            new SortedDictionary<int, int> { [503] = 12, [200] = 8 },
            headers,
            sizes,
            connects);
    }
}
