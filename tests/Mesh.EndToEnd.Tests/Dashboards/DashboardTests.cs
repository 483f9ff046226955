using System.Text.Json;
using Mesh.Xds.Metrics;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.EndToEnd.Tests.Dashboards;

/// <summary>The dashboards and alerts of <c>deploy/</c> against what processes really expose.</summary>
public sealed class DashboardTests
{
    private const int Columns = 24;

    [Fact]
    public async Task Every_query_asks_for_metrics_and_labels_that_are_exposed()
    {
        await using var mesh = await PodMesh.StartAsync(LabYaml.Service("reviews", 9080));
        var reviews = await mesh.AddMeshPodAsync("reviews", settings: options => options.AccessLog.Sink = MeshAccessLogSink.Logger);
        var page = await mesh.AddMeshPodAsync("productpage");
        (await page.Client.AskAsync("http://reviews.default:9080/")).Status.ShouldBe(200);
        var exposed = new ExposedMetrics(new[] { reviews.Services, page.Services, mesh.ControlPlane }.Select(services => services.GetRequiredService<MetricRegistry>()));

        var queries = DeployFolder.Dashboards.SelectMany(file => new Dashboard(file).Queries)
            .Concat(AlertRules.Read(DeployFolder.Alerts).Select(rule => rule.Query))
            .ToList();

        queries.Count.ShouldBeGreaterThan(150);
        queries.SelectMany(exposed.WrongWith).ShouldBeEmpty();
    }

    [Fact]
    public void Dashboards_are_told_apart()
    {
        var all = DeployFolder.Dashboards.Select(file => new Dashboard(file)).ToList();

        all.Select(dashboard => dashboard.Name).ShouldBe(["control-plane.json", "mesh.json", "performance.json", "service.json", "workload.json", "xds-client.json"]);
        all.Select(dashboard => dashboard.Uid).Distinct().Count().ShouldBe(all.Count);
        all.Select(dashboard => dashboard.Title).Distinct().Count().ShouldBe(all.Count);
    }

    [Fact]
    public void Dashboards_are_whole()
        => DeployFolder.Dashboards.SelectMany(file => FaultsOf(new Dashboard(file))).ShouldBeEmpty();

    [Fact]
    public void Alerts_say_what_has_happened_and_what_to_do()
    {
        var rules = AlertRules.Read(DeployFolder.Alerts);

        rules.ShouldAllBe(rule => rule.Name.Length > 0 && rule.Query.Text.Length > 0 && rule.Summary.Length > 0 && rule.Description.Length > rule.Summary.Length);
        rules.ShouldAllBe(rule => rule.Severity == "critical" || rule.Severity == "warning");
        rules.Select(rule => rule.Name).Distinct().Count().ShouldBe(rules.Count);
    }

    [Fact]
    public void Containers_are_given_files_that_are_there()
    {
        var given = File.ReadLines(Path.Combine(DeployFolder.Path, "compose.yml"))
            .Select(line => line.Trim())
            .Where(line => line.StartsWith("- ./", StringComparison.Ordinal))
            .Select(line => Path.Combine(DeployFolder.Path, line[2..line.IndexOf(':', StringComparison.Ordinal)]))
            .ToList();

        given.Count.ShouldBe(3);
        given.ShouldAllBe(path => Directory.Exists(path));
    }

    private static IEnumerable<string> FaultsOf(Dashboard dashboard)
    {
        var ids = new HashSet<int>();
        var taken = new HashSet<(int X, int Y)>();
        foreach (var panel in dashboard.Panels)
        {
            var title = Dashboard.Text(panel, "title");
            if (title.Length == 0 || !ids.Add(panel.GetProperty("id").GetInt32()))
            {
                yield return $"{dashboard.Name}: '{title}' has no title, or another panel's id";
            }

            var place = panel.GetProperty("gridPos");
            var (x, y, w, h) = (Number(place, "x"), Number(place, "y"), Number(place, "w"), Number(place, "h"));
            if (x < 0 || x + w > Columns || Cells(x, y, w, h).Any(cell => !taken.Add(cell)))
            {
                yield return $"{dashboard.Name}: '{title}' has no place of its own";
            }

            if (Dashboard.Text(panel, "type") != "row")
            {
                var targets = panel.GetProperty("targets").EnumerateArray().ToList();
                if (targets.Count == 0 || targets.Append(panel).Any(part => Dashboard.Text(part.GetProperty("datasource"), "uid") != "${datasource}"))
                {
                    yield return $"{dashboard.Name}: '{title}' asks nobody, or another Prometheus than the chosen one";
                }
            }
        }

        foreach (var name in dashboard.UsedVariables.Except(dashboard.Variables))
        {
            yield return $"{dashboard.Name}: nobody defines ${name}";
        }

        foreach (var name in dashboard.Variables.Except(dashboard.UsedVariables))
        {
            yield return $"{dashboard.Name}: nobody uses ${name}";
        }

        if (dashboard.SchemaVersion < 36)
        {
            yield return $"{dashboard.Name} is of an older Grafana than 9";
        }
    }

    private static int Number(JsonElement element, string name) => element.GetProperty(name).GetInt32();

    private static IEnumerable<(int X, int Y)> Cells(int x, int y, int w, int h)
        => Enumerable.Range(x, w).SelectMany(column => Enumerable.Range(y, h).Select(line => (column, line)));
}
