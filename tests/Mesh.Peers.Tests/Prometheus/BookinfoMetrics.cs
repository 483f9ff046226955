using System.Globalization;
using Mesh.Client.Tests.Tcp;
using Mesh.EndToEnd.Tests.Lab;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Peers.Tests.Prometheus;

/// <summary>Bookinfo and a client called sleep, each a process's worth of mesh with a port for its metrics, and the Prometheus that collects from them.</summary>
internal sealed class BookinfoMetrics : IAsyncDisposable
{
    public const string Workloads = "mesh-workloads";
    public const string ControlPlane = "mesh-control-plane";

    private const string Page = "http://productpage:9080/productpage";

    private readonly PodMesh _mesh;
    private readonly MetricsPort _controlPlane;
    private readonly List<MeshPod> _pods = [];
    private HttpClient _sleep = null!;

    private BookinfoMetrics(PodMesh mesh)
    {
        _mesh = mesh;
        _controlPlane = new MetricsPort(mesh.ControlPlane);
    }

    public PrometheusServer Prometheus { get; private set; } = null!;

    /// <summary>Starts all of it; nobody has called anybody yet.</summary>
    /// <param name="yaml">Documents beside the services.</param>
    public static async Task<BookinfoMetrics> StartAsync(string yaml = "")
    {
        var mesh = await PodMesh.StartAsync(string.Concat(new[] { "productpage", "details", "reviews", "ratings" }.Select(name => LabYaml.Service(name, 9080))) + yaml);
        var bookinfo = new BookinfoMetrics(mesh);
        try
        {
            await bookinfo.AddPodsAsync();
        }
        catch
        {
            await bookinfo.DisposeAsync();
            throw;
        }

        return bookinfo;
    }

    /// <summary>Opens the page from sleep, one time after the other: which versions of reviews were on it.</summary>
    public async Task<IReadOnlySet<string>> OpenAsync(int times = 1)
    {
        var versions = new HashSet<string>();
        for (var i = 0; i < times; i++)
        {
            var page = await _sleep.AskAsync(Page);
            page.Status.ShouldBe(200, page.Body);
            versions.Add(page.Body.Split(' ')[1]);
        }

        return versions;
    }

    /// <summary>Connects sleep to a service that speaks no HTTP.</summary>
    public Task<LineDriver> ConnectAsync(string host, int port) => LineDriver.ConnectAsync(_pods[^1].Services.GetRequiredService<IMeshConnector>(), host, port);

    public Task ApplyAsync(string yaml) => _mesh.ApplyAsync(yaml);

    public async ValueTask DisposeAsync()
    {
        if (Prometheus is not null)
        {
            await Prometheus.DisposeAsync();
        }

        await _controlPlane.DisposeAsync();
        await _mesh.DisposeAsync();
    }

    private async Task AddPodsAsync()
    {
        _pods.Add(await AddAsync("details", "v1", _ => LabPods.Text("details")));
        _pods.Add(await AddAsync("ratings", "v1", _ => LabPods.Text("5 stars")));
        foreach (var version in new[] { "v1", "v2", "v3" })
        {
            _pods.Add(await AddAsync("reviews", version, client => async context
                => await context.Response.WriteAsync($"reviews {version} {(version == "v1" ? "" : await BodyAsync(client(), "http://ratings:9080/ratings/0"))}")));
        }

        _pods.Add(await AddAsync("productpage", "v1", client => async context
            => await context.Response.WriteAsync($"{await BodyAsync(client(), "http://reviews:9080/reviews/0")} {await BodyAsync(client(), "http://details:9080/details/0")}")));
        _pods.Add(await AddAsync("sleep", "v1", _ => LabPods.Text("asleep")));
        _sleep = _pods[^1].Client;
        await _controlPlane.StartAsync();
        Prometheus = await PrometheusServer.StartAsync(
        [
            .. _pods.Select(pod => new PrometheusTarget(Workloads, pod.Admin.Authority, "/stats/prometheus")),
            new PrometheusTarget(ControlPlane, _controlPlane.Address, "/metrics"),
        ]);
    }

    private async Task<MeshPod> AddAsync(string app, string version, Func<Func<HttpClient>, RequestDelegate> answer)
    {
        MeshPod? pod = null;
        pod = await _mesh.AddMeshPodAsync(app, answer(() => pod!.Client), version, account: string.Create(CultureInfo.InvariantCulture, $"bookinfo-{app}"));
        return pod;
    }

    private static async Task<string> BodyAsync(HttpClient client, string uri) => (await client.AskAsync(uri)).Body;
}
