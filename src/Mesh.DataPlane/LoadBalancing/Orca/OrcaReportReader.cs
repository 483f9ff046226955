using System.Globalization;
using System.Net.Http.Headers;
using Google.Protobuf;
using Xds.Data.Orca.V3;

namespace Mesh.DataPlane.LoadBalancing.Orca;

/// <summary>Reads the load reports that hosts put into the headers or trailers of their responses (ORCA, gRFC A51), in each form that Envoy reads.</summary>
internal static class OrcaReportReader
{
    private const string Header = "endpoint-load-metrics";
    private const string JsonHeader = "endpoint-load-metrics-json";
    private const string BinaryHeader = "endpoint-load-metrics-bin";

    private const int MaxLength = 16 * 1024;
    private const int MaxMetrics = 256;

    private static readonly JsonParser _json = new(JsonParser.Settings.Default.WithIgnoreUnknownFields(true));

    /// <summary>The report, or <see langword="null"/> when there is none or it cannot be read: a host cannot harm by what it reports, only lose its say.</summary>
    public static OrcaLoadReport? Read(HttpHeaders headers)
    {
        var values = headers.NonValidated;
        if (values.TryGetValues(BinaryHeader, out var binary))
        {
            return Binary(binary.ToString());
        }

        if (values.TryGetValues(JsonHeader, out var json))
        {
            return Json(json.ToString());
        }

        return values.TryGetValues(Header, out var text) ? Parse(text.ToString()) : null;
    }

    // "BIN …", "JSON …" or "TEXT …"; without any of these Envoy's native form, which is that of TEXT.
    private static OrcaLoadReport? Parse(string value)
        => value.StartsWith("BIN ", StringComparison.Ordinal) ? Binary(value[4..])
            : value.StartsWith("JSON ", StringComparison.Ordinal) ? Json(value[5..])
            : Text(value.StartsWith("TEXT ", StringComparison.Ordinal) ? value.AsSpan(5) : value);

    private static OrcaLoadReport? Binary(string value)
    {
        if (value.Length > MaxLength)
        {
            return null;
        }

        // gRPC leaves the padding away.
        value = value.Trim().TrimEnd('=');
        var bytes = new byte[(value.Length + 3) / 4 * 3];
        try
        {
            return Convert.TryFromBase64String(value.PadRight((value.Length + 3) / 4 * 4, '='), bytes, out var length)
                ? OrcaLoadReport.Parser.ParseFrom(bytes, 0, length)
                : null;
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }

    private static OrcaLoadReport? Json(string value)
    {
        try
        {
            return value.Length > MaxLength ? null : _json.Parse<OrcaLoadReport>(value);
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or FormatException or OverflowException)
        {
            return null;
        }
    }

    private static OrcaLoadReport? Text(ReadOnlySpan<char> value)
    {
        if (value.Length > MaxLength)
        {
            return null;
        }

        var report = new OrcaLoadReport();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var range in value.Split(','))
        {
            var metric = value[range].Trim();
            if (metric.IsEmpty)
            {
                continue;
            }

            var end = metric.IndexOfAny('=', ':');
            if (end <= 0
                || !double.TryParse(metric[(end + 1)..].Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                || !double.IsFinite(number)
                || !seen.Add(metric[..end].TrimEnd().ToString())
                || seen.Count > MaxMetrics
                || !Set(report, metric[..end].TrimEnd(), number))
            {
                return null;
            }
        }

        return report;
    }

    private static bool Set(OrcaLoadReport report, ReadOnlySpan<char> name, double value)
    {
        switch (name)
        {
            case "cpu_utilization":
                report.CpuUtilization = value;
                return true;
            case "mem_utilization":
                report.MemUtilization = value;
                return true;
            case "application_utilization":
                report.ApplicationUtilization = value;
                return true;
            case "rps_fractional":
                report.RpsFractional = value;
                return true;
            case "eps":
                report.Eps = value;
                return true;
            default:
                return Add(report.NamedMetrics, "named_metrics.", name, value)
                    || Add(report.Utilization, "utilization.", name, value)
                    || Add(report.RequestCost, "request_cost.", name, value);
        }
    }

    private static bool Add(Google.Protobuf.Collections.MapField<string, double> map, string prefix, ReadOnlySpan<char> name, double value)
    {
        if (!name.StartsWith(prefix, StringComparison.Ordinal) || name.Length == prefix.Length)
        {
            return false;
        }

        map[name[prefix.Length..].ToString()] = value;
        return true;
    }
}
