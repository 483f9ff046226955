using Google.Protobuf;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.LoadBalancing.Orca;
using Mesh.DataPlane.Tests.Clusters;
using Mesh.Testing;
using Xds.Data.Orca.V3;

namespace Mesh.DataPlane.Tests.LoadBalancing;

public class ClientSideWeightedRoundRobinTests
{
    private static readonly ClientSideWeightedRoundRobin Policy = new(TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(3), TimeSpan.FromSeconds(1));

    private readonly ManualTimeProvider _time = new();

    [Theory]
    [InlineData("endpoint-load-metrics", "TEXT cpu_utilization=0.5, rps_fractional=100,eps=5,named_metrics.queue=0.7")]
    [InlineData("endpoint-load-metrics", "cpu_utilization:0.5,rps_fractional:100,eps:5,named_metrics.queue:0.7")]
    [InlineData("endpoint-load-metrics", "JSON {\"cpu_utilization\": 0.5, \"rps_fractional\": 100, \"eps\": 5, \"named_metrics\": {\"queue\": 0.7}}")]
    [InlineData("endpoint-load-metrics-json", "{\"cpuUtilization\": 0.5, \"rpsFractional\": 100, \"eps\": 5, \"namedMetrics\": {\"queue\": 0.7}}")]
    public void A_report_is_read_in_each_of_its_forms(string header, string value)
    {
        var report = Read(header, value).ShouldNotBeNull();
        (report.CpuUtilization, report.RpsFractional, report.Eps, report.NamedMetrics["queue"]).ShouldBe((0.5, 100, 5, 0.7));
    }

    [Fact]
    public void A_binary_report_is_read_with_padding_and_without()
    {
        var sent = new OrcaLoadReport { CpuUtilization = 0.5, RpsFractional = 100 };
        for (var i = 0; i < 3; i++)
        {
            sent.NamedMetrics[new string('x', i + 1)] = i;
            var text = Convert.ToBase64String(sent.ToByteArray());
            Read("endpoint-load-metrics-bin", text).ShouldBe(sent);
            Read("endpoint-load-metrics-bin", text.TrimEnd('=')).ShouldBe(sent);
            Read("endpoint-load-metrics", "BIN " + text).ShouldBe(sent);
        }
    }

    [Theory]
    [InlineData("endpoint-load-metrics", "TEXT cpu_utilization")]
    [InlineData("endpoint-load-metrics", "TEXT cpu_utilization=NaN")]
    [InlineData("endpoint-load-metrics", "TEXT cpu_utilization=Infinity")]
    [InlineData("endpoint-load-metrics", "TEXT cpu_utilization=1,cpu_utilization=2")]
    [InlineData("endpoint-load-metrics", "TEXT bogus=1")]
    [InlineData("endpoint-load-metrics", "TEXT named_metrics.=1")]
    [InlineData("endpoint-load-metrics", "JSON [")]
    [InlineData("endpoint-load-metrics-json", "{\"eps\": \"many\"}")]
    [InlineData("endpoint-load-metrics-bin", "!!!")]
    [InlineData("endpoint-load-metrics-bin", "CA")]
    public void A_malformed_report_is_none(string header, string value) => Read(header, value).ShouldBeNull();

    [Fact]
    public void A_weight_is_requests_over_utilization_and_errors_raise_that()
    {
        var report = new OrcaLoadReport { RpsFractional = 100, CpuUtilization = 0.5, Eps = 10 };
        OrcaUtilization.Weight(report, [], 0).ShouldBe(200);
        OrcaUtilization.Weight(report, [], 1)!.Value.ShouldBe(100 / 0.6, 1e-9);
        report.ApplicationUtilization = 0.25;
        OrcaUtilization.Weight(report, [], 0).ShouldBe(400);
        report.NamedMetrics["queue"] = 0.8;
        report.Utilization["disk"] = 0.4;
        report.MemUtilization = double.NaN;
        OrcaUtilization.Weight(report, ["named_metrics.queue", "utilization.disk", "mem_utilization", "nonsense"], 0).ShouldBe(125);
        OrcaUtilization.Weight(report, ["named_metrics.none"], 0).ShouldBe(400);
        OrcaUtilization.Weight(new OrcaLoadReport { CpuUtilization = 0.5 }, [], 0).ShouldBeNull();
        OrcaUtilization.Weight(new OrcaLoadReport { RpsFractional = 5 }, [], 1).ShouldBeNull();
    }

    [Fact]
    public void Hosts_are_taken_in_proportion_to_their_reports_once_these_have_lasted()
    {
        var hosts = Hosts(3);
        var picker = Policy.CreatePicker(hosts, new HostGroupState(uint.MaxValue, _time));
        Report(hosts[0], 100, 0.5);
        Report(hosts[1], 300, 0.5);

        // In the blackout everybody counts alike.
        Shares(picker, hosts).ShouldBe([1.0 / 3, 1.0 / 3, 1.0 / 3], 0.01);

        // 200 and 600; who says nothing has their median, 400.
        _time.Advance(TimeSpan.FromSeconds(10));
        picker.Reweigh(_time.GetTimestamp()).ShouldBe(TimeSpan.FromSeconds(1));
        Shares(picker, hosts).ShouldBe([200 / 1200.0, 600 / 1200.0, 400 / 1200.0], 0.01);

        // The first goes on reporting, the second falls silent.
        _time.Advance(TimeSpan.FromMinutes(2));
        Report(hosts[0], 100, 0.5);
        _time.Advance(TimeSpan.FromMinutes(1));
        picker.Reweigh(_time.GetTimestamp());
        Shares(picker, hosts).ShouldBe([1.0 / 3, 1.0 / 3, 1.0 / 3], 0.01);

        // It has to report through the blackout again.
        Report(hosts[1], 100, 0.25);
        picker.Reweigh(_time.GetTimestamp());
        Shares(picker, hosts).ShouldBe([1.0 / 3, 1.0 / 3, 1.0 / 3], 0.01);
        _time.Advance(TimeSpan.FromSeconds(10));
        picker.Reweigh(_time.GetTimestamp());
        Shares(picker, hosts).ShouldBe([200 / 900.0, 400 / 900.0, 300 / 900.0], 0.01);
    }

    [Fact]
    public void Reports_survive_an_update_of_the_cluster()
    {
        var hosts = Hosts(2);
        Policy.CreatePicker(hosts, new HostGroupState(0, _time));
        Report(hosts[0], 100, 0.1);
        Report(hosts[1], 100, 0.9);
        _time.Advance(TimeSpan.FromSeconds(10));
        var picker = (Policy with { }).CreatePicker(hosts, new HostGroupState(uint.MaxValue, _time));
        Shares(picker, hosts)[0].ShouldBe(0.9, 0.01);
    }

    private static OrcaLoadReport? Read(string header, string value)
    {
        using var response = new HttpResponseMessage();
        response.Headers.TryAddWithoutValidation(header, value);
        return OrcaReportReader.Read(response.Headers);
    }

    private static void Report(Endpoint host, double rate, double utilization)
    {
        using var response = new HttpResponseMessage();
        response.Headers.TryAddWithoutValidation("endpoint-load-metrics", FormattableString.Invariant($"TEXT rps_fractional={rate},cpu_utilization={utilization}"));
        host.State.ReportedWeight!.Observe(response.Headers);
    }

    private static double[] Shares(HostPicker picker, Endpoint[] hosts)
    {
        var counts = Enumerable.Range(0, 36_000).Select(_ => picker.Pick(new PickContext(0))).CountBy(h => h).ToDictionary();
        return [.. hosts.Select(h => counts[h] / 36_000.0)];
    }

    private static Endpoint[] Hosts(int count)
        => [.. Enumerable.Range(1, count).Select(i => new Endpoint(EndpointSetTests.Endpoint(i), "", 0, new EndpointState(() => throw new InvalidOperationException())))];
}
