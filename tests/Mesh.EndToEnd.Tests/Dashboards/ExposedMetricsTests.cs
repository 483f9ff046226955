using Mesh.Xds.Metrics;

namespace Mesh.EndToEnd.Tests.Dashboards;

public sealed class ExposedMetricsTests
{
    private static readonly ExposedMetrics Exposed = new(Registry());

    [Theory]
    [InlineData("requests_total{app=\"a\",job=\"j\"}")]
    [InlineData("sum by (app, instance) (rate(requests_total[1m]))")]
    [InlineData("histogram_quantile(0.9, sum by (le, app) (rate(duration_bucket[1m])))")]
    [InlineData("sum by (app) (rate(duration_sum[1m])) / sum by (app) (rate(duration_count[1m]))")]
    [InlineData("requests_total * on (app) group_left (version) workload_info")]
    [InlineData("sum(requests_total) / sum(workload_info) > 0.5 or vector(0)")]
    [InlineData("up == 0")]
    public void Knows_what_is_there(string query) => Exposed.WrongWith(new Query("here", query, [])).ShouldBeEmpty();

    [Theory]
    [InlineData("request_total", "nobody exposes request_total")]
    [InlineData("duration", "nobody exposes duration")]
    [InlineData("requests_total{apps=\"a\"}", "requests_total has no label apps")]
    [InlineData("sum by (version) (requests_total)", "sum by version, which is not there")]
    [InlineData("sum by (app) (sum by (code) (requests_total))", "sum by app, which is not there")]
    [InlineData("histogram_quantile(0.9, sum by (app) (rate(duration_bucket[1m])))", "a quantile of what has no buckets")]
    [InlineData("requests_total / on (version) workload_info", "/ by version, which one side has not")]
    [InlineData("sum by (app) (requests_total) / sum by (code) (requests_total)", "/ never finds its pairs: app and code")]
    public void Tells_what_is_not(string query, string wrong)
        => Exposed.WrongWith(new Query("here", query, [])).ShouldHaveSingleItem().ShouldBe($"here: {wrong} in {query}");

    [Fact]
    public void Tells_of_labels_that_a_legend_shows_and_the_query_has_summed_away()
        => Exposed.WrongWith(new Query("here", "sum by (app) (requests_total)", ["app", "code"])).ShouldHaveSingleItem().ShouldContain("shows code");

    private static MetricRegistry Registry()
    {
        var registry = new MetricRegistry();
        registry.Counter("requests_total", "Requests.", "app", "code");
        registry.Histogram("duration", "Duration.", [1], "app");
        registry.Gauge("workload_info", "About.", "app", "version");
        return registry;
    }
}
