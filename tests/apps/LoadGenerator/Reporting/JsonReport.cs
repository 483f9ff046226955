using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace LoadGenerator.Reporting;

/// <summary>The result with the names that Fortio's JSON has.</summary>
public static class JsonReport
{
    private const double NanosecondsPerTick = 100;

    public static byte[] Write(LoadResult result)
    {
        var options = result.Options;
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("RunType", "HTTP");
            json.WriteString("Labels", "");
            json.WriteString("StartTime", result.Started.ToString("O", CultureInfo.InvariantCulture));
            json.WriteString("RequestedQPS", options.Qps > 0 ? GoNumber.General(options.Qps) : "max");
            json.WriteString("RequestedDuration", options.Exactly > 0 ? $"exactly {options.Exactly} calls" : GoDuration.Format(options.Duration));
            json.WriteNumber("ActualQPS", result.Qps);
            json.WriteNumber("ActualDuration", result.Took.Ticks * NanosecondsPerTick);
            json.WriteNumber("NumThreads", options.Connections);
            WriteHistogram(json, "DurationHistogram", result.Latencies, options.Percentiles);
            json.WriteNumber("Exactly", options.Exactly);
            json.WriteStartObject("RetCodes");
            foreach (var (code, count) in result.Codes)
            {
                json.WriteNumber(code.ToString(CultureInfo.InvariantCulture), count);
            }

            json.WriteEndObject();
            WriteHistogram(json, "Sizes", result.Sizes, []);
            WriteHistogram(json, "HeaderSizes", result.HeaderSizes, []);
            json.WriteString("URL", options.Url.OriginalString);
            json.WriteNumber("NumConnections", options.Connections);
            json.WriteBoolean("DisableKeepAlive", !options.KeepAlive);
            json.WriteNumber("HTTPReqTimeOut", options.Timeout.Ticks * NanosecondsPerTick);
            json.WriteNumber("SocketCount", result.Sockets);
            WriteHistogram(json, "ConnectionStats", result.ConnectTimes, options.Percentiles);
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    private static void WriteHistogram(Utf8JsonWriter json, string name, LoadHistogram histogram, IReadOnlyList<double> percentiles)
    {
        json.WriteStartObject(name);
        json.WriteNumber("Count", histogram.Count);
        json.WriteNumber("Min", histogram.Min);
        json.WriteNumber("Max", histogram.Max);
        json.WriteNumber("Sum", histogram.Sum);
        json.WriteNumber("Avg", histogram.Average);
        json.WriteNumber("StdDev", histogram.StandardDeviation);
        json.WriteStartArray("Data");
        foreach (var bucket in histogram.Buckets)
        {
            json.WriteStartObject();
            json.WriteNumber("Start", bucket.Start);
            json.WriteNumber("End", bucket.End);
            json.WriteNumber("Percent", bucket.Percent);
            json.WriteNumber("Count", bucket.Count);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (percentiles.Count > 0)
        {
            json.WriteStartArray("Percentiles");
            foreach (var percentile in percentiles)
            {
                json.WriteStartObject();
                json.WriteNumber("Percentile", percentile);
                json.WriteNumber("Value", histogram.Percentile(percentile));
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }
}
