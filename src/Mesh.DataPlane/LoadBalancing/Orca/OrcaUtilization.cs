using Xds.Data.Orca.V3;

namespace Mesh.DataPlane.LoadBalancing.Orca;

/// <summary>What a load report says of the weight that its host should have (gRFC A58, A114).</summary>
internal static class OrcaUtilization
{
    /// <summary>Requests a second over utilization, which errors raise; <see langword="null"/> when the report does not tell.</summary>
    /// <param name="report">The report.</param>
    /// <param name="metrics">The metrics whose greatest value is the utilization, before the application's own and the processor's.</param>
    /// <param name="errorPenalty">How much a share of errors counts as utilization.</param>
    public static double? Weight(OrcaLoadReport report, IReadOnlyList<string> metrics, double errorPenalty)
    {
        var rate = report.RpsFractional;
        if (rate is not > 0)
        {
            return null;
        }

        var utilization = Of(report, metrics) + (errorPenalty * report.Eps / rate);
        return utilization > 0 && rate / utilization is > 0 and < double.PositiveInfinity and var weight ? Math.Min(weight, uint.MaxValue) : null;
    }

    private static double Of(OrcaLoadReport report, IReadOnlyList<string> metrics)
    {
        var greatest = 0.0;
        foreach (var metric in metrics)
        {
            // Zero is unset, and what is not a number compares as false.
            if (Value(report, metric) is var value && value > greatest)
            {
                greatest = value;
            }
        }

        return greatest > 0 ? greatest
            : report.ApplicationUtilization > 0 ? report.ApplicationUtilization
            : report.CpuUtilization;
    }

    private static double Value(OrcaLoadReport report, string metric)
        => metric switch
        {
            "application_utilization" => report.ApplicationUtilization,
            "cpu_utilization" => report.CpuUtilization,
            "mem_utilization" => report.MemUtilization,
            _ when metric.StartsWith("named_metrics.", StringComparison.Ordinal) => report.NamedMetrics.GetValueOrDefault(metric["named_metrics.".Length..]),
            _ when metric.StartsWith("utilization.", StringComparison.Ordinal) => report.Utilization.GetValueOrDefault(metric["utilization.".Length..]),
            _ => 0,
        };

    private static double GetValueOrDefault(this Google.Protobuf.Collections.MapField<string, double> map, string key) => map.TryGetValue(key, out var value) ? value : 0;
}
