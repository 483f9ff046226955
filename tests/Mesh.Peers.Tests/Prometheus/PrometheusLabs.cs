using System.Globalization;
using Mesh.Client.Tests.Tcp;
using Mesh.EndToEnd.Tests.Dashboards;
using Mesh.EndToEnd.Tests.Lab;

namespace Mesh.Peers.Tests.Prometheus;

/// <summary>What the labs ask Prometheus, dashboards and Kiali among them, of a Bookinfo that is really collected from.</summary>
[Trait("Category", "Peers")]
public sealed class PrometheusLabs
{
    private const string Window = "5m";

    [PrometheusFact]
    [Trait("Lab", "P5")]
    public async Task Requests_are_rows_and_their_rate_rises()
    {
        await using var bookinfo = await BookinfoMetrics.StartAsync();
        var prometheus = bookinfo.Prometheus;
        await bookinfo.OpenAsync();
        await prometheus.CollectAsync();

        (await prometheus.QueryAsync("istio_requests_total")).ShouldNotBeEmpty();
        (await prometheus.QueryAsync("istio_requests_total{response_code!=\"200\"}")).ShouldBeEmpty();

        // A response is there before its server has told of it.
        var rows = await prometheus.QueryAsync("istio_requests_total{source_app=\"sleep\",destination_app=\"productpage\"}", found => found.Count > 1);
        rows.Select(row => row["reporter"]).Order().ShouldBe(["destination", "source"]);
        rows.ShouldAllBe(row => row.Value == 1);
        foreach (var (name, value) in new[]
        {
            ("source_workload", "sleep"), ("source_workload_namespace", "default"), ("source_canonical_service", "sleep"), ("source_canonical_revision", "v1"),
            ("source_version", "v1"), ("destination_workload", "productpage"), ("destination_workload_namespace", "default"),
            ("destination_canonical_service", "productpage"), ("destination_canonical_revision", "v1"), ("destination_version", "v1"),
            ("destination_service", "productpage.default.svc.cluster.local"), ("destination_service_name", "productpage"), ("destination_service_namespace", "default"),
            ("request_protocol", "http"), ("response_flags", "-"),
            ("source_principal", "spiffe://cluster.local/ns/default/sa/bookinfo-sleep"), ("destination_principal", "spiffe://cluster.local/ns/default/sa/bookinfo-productpage"),
        })
        {
            rows.ShouldAllBe(row => row[name] == value, name);
        }

        rows.Single(row => row["reporter"] == "destination")["connection_security_policy"].ShouldBe("mutual_tls");

        // Nothing happens: the rate is nothing. Something happens: it is not.
        const string Rate = "sum(rate(istio_requests_total{destination_app=\"productpage\"}[5m]))";
        (await prometheus.QueryAsync(Rate, found => found.Count == 1)).ShouldHaveSingleItem().Value.ShouldBe(0);
        await bookinfo.OpenAsync(10);
        (await prometheus.QueryAsync(Rate, found => found is [{ Value: > 0 }])).ShouldHaveSingleItem();
    }

    [PrometheusFact]
    [Trait("Lab", "P7")]
    [Trait("Lab", "A3-06")]
    public async Task Kiali_draws_its_graph()
    {
        await using var bookinfo = await BookinfoMetrics.StartAsync();
        var prometheus = bookinfo.Prometheus;
        (await bookinfo.OpenAsync(40)).Order().ShouldBe(["v1", "v2", "v3"]);
        await prometheus.CollectAsync();
        await bookinfo.OpenAsync(40);
        await prometheus.CollectAsync();

        // 1. The edges, with the labels without which a row is left out.
        var inside = await prometheus.QueryAsync(KialiGraph.FromInside("default", Window));
        inside.ShouldAllBe(row => KialiGraph.HttpLabels.All(label => row[label].Length > 0 || label == "grpc_response_status"));
        inside.ShouldAllBe(row => row.Value > 0 && row["response_code"] == "200" && row["response_flags"] == "-" && row["request_protocol"] == "http");
        string[] edges =
        [
            "sleep v1 > productpage > productpage v1",
            "productpage v1 > details > details v1",
            "productpage v1 > reviews > reviews v1",
            "productpage v1 > reviews > reviews v2",
            "productpage v1 > reviews > reviews v3",
            "reviews v2 > ratings > ratings v1",
            "reviews v3 > ratings > ratings v1",
        ];
        inside.Select(Edge).ShouldBe(edges, ignoreOrder: true);
        (await prometheus.QueryAsync(KialiGraph.FromOutside("default", Window))).ShouldBeEmpty();
        (await prometheus.QueryAsync(KialiGraph.FromUnknown("default", Window))).ShouldBeEmpty();
        (await prometheus.QueryAsync(KialiGraph.FromOutside("elsewhere", Window))).ShouldBeEmpty();

        // Whoever is asked knows who asks: no edge comes from nowhere.
        (await prometheus.QueryAsync(KialiGraph.FromUnknown("default", Window))).ShouldBeEmpty();
        var served = await prometheus.QueryAsync(KialiGraph.Served("default", Window));
        served.ShouldAllBe(row => KialiGraph.HttpLabels.All(label => row[label].Length > 0 || label == "grpc_response_status"));
        served.Select(Edge).ShouldBe(edges, ignoreOrder: true);

        // 2. The padlocks, as the servers tell it.
        var security = await prometheus.QueryAsync(KialiGraph.Security("default", Window));
        security.Select(Edge).ShouldBe(edges, ignoreOrder: true);
        security.ShouldAllBe(row => row["connection_security_policy"] == "mutual_tls"
            && row["source_principal"] == $"spiffe://cluster.local/ns/default/sa/bookinfo-{row["source_canonical_service"]}"
            && row["destination_principal"] == $"spiffe://cluster.local/ns/default/sa/bookinfo-{row["destination_canonical_service"]}");

        // 3. Times; what a request has brought is nothing, what it takes home is something.
        (await prometheus.QueryAsync(KialiGraph.ResponseTime("default", Window))).Select(Edge).ShouldBe(edges, ignoreOrder: true);
        (await prometheus.QueryAsync(KialiGraph.Throughput("default", Window, "response"))).Select(Edge).ShouldBe(edges, ignoreOrder: true);
    }

    [PrometheusFact]
    [Trait("Lab", "P4")]
    public async Task One_process_shows_more_than_a_hundred_metrics()
    {
        await using var bookinfo = await BookinfoMetrics.StartAsync();
        await bookinfo.OpenAsync();
        await bookinfo.Prometheus.CollectAsync();
        var row = (await bookinfo.Prometheus.QueryAsync("istio_requests_total{reporter=\"source\",source_app=\"productpage\",destination_app=\"details\"}")).ShouldHaveSingleItem();

        var count = await bookinfo.Prometheus.QueryAsync($"count(count by (__name__) ({{job=\"{BookinfoMetrics.Workloads}\",instance=\"{row["instance"]}\"}}))");

        count.ShouldHaveSingleItem().Value.ShouldBeGreaterThan(100);
        (await bookinfo.Prometheus.QueryAsync($"{{__name__=~\"envoy_cluster_.*\",cluster_name=\"xds-grpc\",instance=\"{row["instance"]}\"}}")).ShouldNotBeEmpty();
    }

    [PrometheusFact]
    [Trait("Lab", "P6")]
    [Trait("Lab", "A3-08")]
    public async Task Dashboards_show_what_happens()
    {
        await using var bookinfo = await BookinfoMetrics.StartAsync();
        var prometheus = bookinfo.Prometheus;
        await bookinfo.OpenAsync(10);
        await prometheus.CollectAsync();
        await bookinfo.OpenAsync(10);
        await prometheus.CollectAsync();
        var dashboards = DeployFolder.Dashboards.Select(file => new Dashboard(file)).ToList();
        dashboards.Count.ShouldBe(6);

        // Prometheus understands every query.
        foreach (var query in dashboards.SelectMany(dashboard => dashboard.Queries))
        {
            await prometheus.QueryAsync(query.Text);
        }

        // Mesh: requests, all of them good; there are no rules yet, and then there is one.
        (await ValueAsync("mesh.json", "Requests")).ShouldBeGreaterThan(0);
        (await ValueAsync("mesh.json", "Success")).ShouldBe(1);
        (await ValueAsync("mesh.json", "4xx")).ShouldBe(0);
        (await ValueAsync("mesh.json", "5xx")).ShouldBe(0);
        (await ValueAsync("mesh.json", "Services")).ShouldBe(4);
        (await RowsAsync("mesh.json", "DestinationRules")).ShouldBeEmpty();
        await bookinfo.ApplyAsync(LabYaml.Subsets("reviews", "v1", "v2", "v3"));
        await prometheus.CollectAsync();
        (await ValueAsync("mesh.json", "DestinationRules")).ShouldBe(1);

        // Service and workload: between whom, how long, with which status, how much.
        (await RowsAsync("service.json", "Incoming requests by source and response code")).ShouldContain(row => row["source_workload"] == "productpage" && row["response_code"] == "200" && row.Value > 0);
        (await RowsAsync("service.json", "Request duration by destination")).Select(row => row["destination_workload"]).ShouldContain("ratings");
        (await RowsAsync("service.json", "Client request duration")).ShouldNotBeEmpty();
        (await RowsAsync("workload.json", "Outgoing requests by destination and response code")).ShouldContain(row => row["destination_service"] == "ratings.default.svc.cluster.local");
        (await ValueAsync("workload.json", "Response bytes")).ShouldBeGreaterThan(0);

        // The control plane.
        (await ValueAsync("control-plane.json", "Clients connected")).ShouldBe(7);
        (await RowsAsync("control-plane.json", "Responses by kind")).Select(row => row["type"]).ShouldContain("cds");

        async Task<double> ValueAsync(string dashboard, string title) => (await RowsAsync(dashboard, title)).ShouldHaveSingleItem($"{dashboard} {title}").Value;

        async Task<IReadOnlyList<PrometheusSample>> RowsAsync(string dashboard, string title)
        {
            // A variable that stands for one thing is any of them here.
            var text = dashboards.Single(d => d.Name == dashboard).Queries.First(q => q.Place.StartsWith($"{dashboard}: {title} ", StringComparison.Ordinal)).Text;
            return await prometheus.QueryAsync(text.Replace("=\".*\"", "=~\".*\"", StringComparison.Ordinal));
        }
    }

    [PrometheusFact]
    [Trait("Lab", "P7")]
    public async Task Kiali_draws_connections_that_are_no_requests()
    {
        await using var database = new LineServer("mysql");
        await using var bookinfo = await BookinfoMetrics.StartAsync(string.Create(CultureInfo.InvariantCulture, $$"""
            apiVersion: v1
            kind: Service
            metadata: {name: mysql}
            spec: {ports: [{name: tcp-mysql, port: 3306}], selector: {app: mysql} }
            ---
            apiVersion: networking.istio.io/v1
            kind: WorkloadEntry
            metadata: {name: mysql-v1}
            spec: {address: 127.0.0.1, ports: {tcp-mysql: {{database.Port}} }, labels: {app: mysql, version: v1} }
            """));
        var prometheus = bookinfo.Prometheus;
        await using (var driver = await bookinfo.ConnectAsync("mysql", 3306))
        {
            (await driver.AskAsync("NAME")).ShouldBe("mysql");
        }

        const string Opened = "istio_tcp_connections_opened_total{reporter=\"source\",source_workload=\"sleep\"}";
        await prometheus.QueryAsync("istio_tcp_connections_closed_total{reporter=\"source\",source_workload=\"sleep\"}", rows => rows.Count == 1);
        await using (var driver = await bookinfo.ConnectAsync("mysql", 3306))
        {
            (await driver.AskAsync("NAME")).ShouldBe("mysql");
        }

        var row = (await prometheus.QueryAsync(KialiGraph.FromInside("default", Window, "istio_tcp_sent_bytes_total"), rows => rows is [{ Value: > 0 }])).ShouldHaveSingleItem();
        KialiGraph.TcpLabels.Where(label => row[label].Length == 0).ShouldBeEmpty();
        (row["source_workload"], row["destination_service"], row["destination_service_name"], row["destination_canonical_service"], row["response_flags"])
            .ShouldBe(("sleep", "mysql.default.svc.cluster.local", "mysql", "mysql", "-"));
        (await prometheus.QueryAsync(KialiGraph.FromInside("default", Window, "istio_tcp_received_bytes_total"))).ShouldHaveSingleItem().Value.ShouldBeGreaterThan(0);
        (await prometheus.QueryAsync(Opened, rows => rows is [{ Value: 2 }])).ShouldHaveSingleItem()["request_protocol"].ShouldBe("tcp");
    }

    private static string Edge(PrometheusSample row)
        => $"{row["source_canonical_service"]} {row["source_canonical_revision"]} > {row["destination_service_name"]} > {row["destination_canonical_service"]} {row["destination_canonical_revision"]}";
}
