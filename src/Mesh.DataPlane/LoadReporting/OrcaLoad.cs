using System.Collections.Concurrent;
using System.Net.Http.Headers;
using Mesh.DataPlane.LoadBalancing.Orca;
using Xds.Data.Orca.V3;

namespace Mesh.DataPlane.LoadReporting;

/// <summary>Sums of what an endpoint reports of its load, for those metrics that its cluster wants to be told of (<c>lrs_report_endpoint_metrics</c>, gRFC A85).</summary>
internal sealed class OrcaLoad(OrcaMetricNames names)
{
    public const string Cpu = "cpu_utilization";
    public const string Memory = "mem_utilization";
    public const string Application = "application_utilization";

    // An endpoint that makes up names must not make the reports grow.
    private const int MaxMetrics = 64;
    private const int MaxNameLength = 256;

    private readonly ConcurrentDictionary<string, MetricSum> _sums = new(StringComparer.Ordinal);

    public OrcaMetricNames Names { get; } = names;

    /// <summary>Takes note of a response's report, if it has one.</summary>
    /// <param name="headers">The response's headers, or its trailers, where gRPC has it.</param>
    public void Observe(HttpHeaders headers)
    {
        if (OrcaReportReader.Read(headers) is not { } report)
        {
            return;
        }

        Add(Cpu, report.CpuUtilization);
        Add(Memory, report.MemUtilization);
        Add(Application, report.ApplicationUtilization);
        Add("rps_fractional", report.RpsFractional);
        Add("eps", report.Eps);
        Add("named_metrics.", report.NamedMetrics);
        Add("utilization.", report.Utilization);
        Add("request_cost.", report.RequestCost);
    }

    /// <summary>The sums so far.</summary>
    public IReadOnlyList<(string Name, long Count, double Total)> Read() => [.. _sums.Select(s => s.Value.Read(s.Key))];

    private void Add(string prefix, Google.Protobuf.Collections.MapField<string, double> values)
    {
        foreach (var (key, value) in values)
        {
            AddValue(prefix + key, value);
        }
    }

    // Zero is unset.
    private void Add(string name, double value)
    {
        if (value != 0)
        {
            AddValue(name, value);
        }
    }

    private void AddValue(string name, double value)
    {
        if (!double.IsFinite(value) || name.Length > MaxNameLength || !Names.Includes(name))
        {
            return;
        }

        if (!_sums.TryGetValue(name, out var sum))
        {
            if (_sums.Count >= MaxMetrics)
            {
                return;
            }

            sum = _sums.GetOrAdd(name, static _ => new MetricSum());
        }

        sum.Add(value);
    }

    private sealed class MetricSum
    {
        private readonly Lock _gate = new();
        private long _count;
        private double _total;

        public void Add(double value)
        {
            lock (_gate)
            {
                _count++;
                _total += value;
            }
        }

        public (string Name, long Count, double Total) Read(string name)
        {
            lock (_gate)
            {
                return (name, _count, _total);
            }
        }
    }
}
