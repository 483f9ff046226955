using Envoy.Config.Cluster.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Mesh.ControlPlane.Config;
using Mesh.Xds.Ads;
using Mesh.Xds.Serving;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Mesh.ControlPlane.Tests.Hosting;

/// <summary>The control plane as applications get it: files on disk in, xDS on real streams of the server engine out.</summary>
public sealed class ControlPlaneTests : IAsyncDisposable
{
    private const string Reviews = "outbound|9080||reviews.default.svc.cluster.local";
    private const string Service = """
        apiVersion: v1
        kind: Service
        metadata: {name: reviews}
        spec:
          selector: {app: reviews}
          ports: [{name: http, port: 9080}]
        ---
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: reviews}
        spec:
          host: reviews
          subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]
        """;

    private readonly string _folder = Path.Combine(Directory.CreateTempSubdirectory("mesh-control-").FullName, "mesh");
    private readonly List<ServiceProvider> _providers = [];

    public ControlPlaneTests()
    {
        Directory.CreateDirectory(_folder);
        Write("reviews.yaml", Service);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var provider in _providers)
        {
            await provider.DisposeAsync();
        }

        Directory.Delete(Path.GetDirectoryName(_folder)!, recursive: true);
    }

    // In one step: the control plane looks at the folder meanwhile, and half a file is another one to it.
    private void Write(string file, string yaml)
    {
        var written = Path.Combine(_folder, file + ".tmp");
        File.WriteAllText(written, yaml);
        File.Move(written, Path.Combine(_folder, file), overwrite: true);
    }

    private static string Rule(int v1, int v2) => $$"""
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: reviews}
        spec:
          hosts: [reviews]
          http:
          - route:
            - {destination: {host: reviews, subset: v1}, weight: {{v1}}}
            - {destination: {host: reviews, subset: v2}, weight: {{v2}}}
        """;

    private IServiceProvider Start(Action<MeshControlPlaneOptions>? configure = null)
    {
        var services = new ServiceCollection();
        services.AddMeshControlPlane(options =>
        {
            options.ConfigFolder = _folder;
            configure?.Invoke(options);
        });
        var provider = services.BuildServiceProvider();
        _providers.Add(provider);
        return provider;
    }

    private static Task<AdsPeer> ConnectAsync(IServiceProvider controlPlane, Envoy.Config.Core.V3.Node node)
        => AdsPeer.ConnectAsync(new InProcessAdsTransport(controlPlane.GetRequiredService<IAdsServer>()), node);

    private static string[] PortsOf(ClusterLoadAssignment assignment)
        => [.. assignment.Endpoints.SelectMany(locality => locality.LbEndpoints).Select(endpoint => $"{endpoint.Endpoint.Address.SocketAddress.PortValue}")];

    [Theory]
    [InlineData("mesh")]
    [InlineData("gRPC C-core")]
    public async Task A_client_walks_from_the_name_it_calls_to_the_addresses_that_serve(string userAgent)
    {
        Write("rule.yaml", Rule(90, 10));
        var controlPlane = Start();
        await using var v1 = await ConnectAsync(controlPlane, TestNodes.Workload("v1", "reviews", "127.0.0.1:1"));
        await v1.SubscribeAsync(TypeUrls.Listener, "reviews:9080");
        await using var client = await ConnectAsync(controlPlane, TestNodes.Of("client", userAgent: userAgent));

        await client.SubscribeAsync(TypeUrls.Listener, "reviews:9080");
        await client.WaitForAsync<Listener>(TypeUrls.Listener, "reviews:9080");
        await client.SubscribeAsync(TypeUrls.RouteConfiguration, Reviews);
        var routes = await client.WaitForAsync<RouteConfiguration>(TypeUrls.RouteConfiguration, Reviews);
        routes.VirtualHosts[0].Routes[0].Route_.WeightedClusters.Clusters.Select(cluster => cluster.Weight).ShouldBe([90u, 10u]);
        await client.SubscribeAsync(TypeUrls.Cluster, Reviews);
        await client.WaitForAsync<Cluster>(TypeUrls.Cluster, Reviews);
        await client.SubscribeAsync(TypeUrls.ClusterLoadAssignment, Reviews);

        PortsOf(await client.WaitForAsync<ClusterLoadAssignment>(TypeUrls.ClusterLoadAssignment, Reviews, found => found.Endpoints.Count > 0)).ShouldBe(["1"]);
    }

    [Fact]
    public async Task A_saved_file_reaches_the_clients_and_a_broken_one_changes_nothing()
    {
        Write("rule.yaml", Rule(90, 10));
        var controlPlane = Start();
        await using var client = await ConnectAsync(controlPlane, TestNodes.Of("client"));
        await client.SubscribeAsync(TypeUrls.RouteConfiguration, Reviews);
        Task<RouteConfiguration> WaitForWeightAsync(uint weight) => client.WaitForAsync<RouteConfiguration>(
            TypeUrls.RouteConfiguration,
            Reviews,
            found => found.VirtualHosts[0].Routes[0].Route_.WeightedClusters.Clusters[0].Weight == weight);
        await WaitForWeightAsync(90);

        var store = controlPlane.GetRequiredService<IConfigStore>();
        var told = new TaskCompletionSource();
        store.Changed += _ =>
        {
            if (store.Diagnostics.Any(diagnostic => diagnostic.Severity == ConfigSeverity.Error))
            {
                told.TrySetResult();
            }
        };
        Write("rule.yaml", Rule(0, 0));
        await told.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await WaitForWeightAsync(90);
        store.Diagnostics.ShouldContain(diagnostic => diagnostic.Path == "spec.http[0].route" && diagnostic.File.EndsWith("rule.yaml"));

        Write("rule.yaml", Rule(50, 50));
        await WaitForWeightAsync(50);
    }

    [Fact]
    public async Task A_name_that_a_later_file_declares_comes_into_being_and_goes_with_it()
    {
        var controlPlane = Start();
        await using var client = await ConnectAsync(controlPlane, TestNodes.Of("client"));
        await client.SubscribeAsync(TypeUrls.Listener, "ratings:8080");
        await client.WaitForAbsenceAsync(TypeUrls.Listener, "ratings:8080");

        Write("ratings.yaml", "{apiVersion: v1, kind: Service, metadata: {name: ratings}, spec: {ports: [{name: http, port: 8080}]}}");
        await client.WaitForAsync<Listener>(TypeUrls.Listener, "ratings:8080");

        File.Delete(Path.Combine(_folder, "ratings.yaml"));
        await client.WaitForAbsenceAsync(TypeUrls.Listener, "ratings:8080");
    }

    [Fact]
    public async Task A_workload_that_stops_is_told_when_every_client_has_let_go()
    {
        var controlPlane = Start();
        await using var workload = await ConnectAsync(controlPlane, TestNodes.Workload("one", "reviews", "127.0.0.1:1"));
        await workload.ReportAsync(true);
        await using var client = await ConnectAsync(controlPlane, TestNodes.Of("client"));
        await client.SubscribeAsync(TypeUrls.ClusterLoadAssignment, Reviews);
        await client.WaitForAsync<ClusterLoadAssignment>(TypeUrls.ClusterLoadAssignment, Reviews, found => found.Endpoints.Count == 1);

        client.HoldAcks = new TaskCompletionSource();
        await workload.ReportAsync(false);
        await client.WaitForAsync<ClusterLoadAssignment>(TypeUrls.ClusterLoadAssignment, Reviews, found => found.Endpoints.Count == 0);
        workload.Drained.IsCompleted.ShouldBeFalse();

        client.HoldAcks.SetResult();
        await workload.Drained.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task A_restarted_control_plane_tells_its_clients_the_same_as_before()
    {
        using var port = new ListeningPort();
        var before = Start();
        await using (var workload = await ConnectAsync(before, TestNodes.Workload("one", "reviews", port.Address)))
        {
            await workload.SubscribeAsync(TypeUrls.ClusterLoadAssignment, Reviews);
            await workload.WaitForAsync<ClusterLoadAssignment>(TypeUrls.ClusterLoadAssignment, Reviews, found => found.Endpoints.Count == 1);
        }

        await _providers[0].DisposeAsync();
        File.Exists(_folder + ".registrations.json").ShouldBeTrue();

        await using var client = await ConnectAsync(Start(), TestNodes.Of("client"));
        await client.SubscribeAsync(TypeUrls.ClusterLoadAssignment, Reviews);
        PortsOf(await client.WaitForAsync<ClusterLoadAssignment>(TypeUrls.ClusterLoadAssignment, Reviews)).ShouldBe([port.Number]);
    }

    [Fact]
    public async Task LoadFromIstio_runs_the_same_control_plane_with_no_server_and_no_file_of_its_own()
    {
        var services = new ServiceCollection();
        new TestMeshBuilder(services).LoadFromIstio(_folder).LoadFromIstio(_folder);
        var provider = services.BuildServiceProvider();
        _providers.Add(provider);

        var transport = provider.GetServices<IAdsTransport>().ShouldHaveSingleItem();
        transport.Target.ShouldContain(_folder);
        await using var self = await AdsPeer.ConnectAsync(transport, TestNodes.Workload("self", "reviews", "127.0.0.1:7"));
        await self.SubscribeAsync(TypeUrls.ClusterLoadAssignment, Reviews);

        PortsOf(await self.WaitForAsync<ClusterLoadAssignment>(TypeUrls.ClusterLoadAssignment, Reviews, found => found.Endpoints.Count == 1)).ShouldBe(["7"]);
        await provider.DisposeAsync();
        Directory.GetFileSystemEntries(Path.GetDirectoryName(_folder)!).ShouldBe([_folder]);
    }

    [Fact]
    public void Settings_come_from_the_section_and_then_from_code()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Mesh:ControlPlane:ConfigFolder"] = _folder,
            ["Mesh:ControlPlane:DisconnectGrace"] = "00:00:01",
            ["Mesh:ControlPlane:RestartGrace"] = "00:00:02",
        }).Build();
        var services = new ServiceCollection().AddSingleton<IConfiguration>(configuration);
        services.AddMeshControlPlane();
        services.AddMeshControlPlane(options => options.RestartGrace = TimeSpan.FromSeconds(3));
        using var provider = services.BuildServiceProvider();

        var options = provider.GetRequiredService<IOptions<MeshControlPlaneOptions>>().Value;
        options.ConfigFolder.ShouldBe(_folder);
        options.DisconnectGrace.ShouldBe(TimeSpan.FromSeconds(1));
        options.RestartGrace.ShouldBe(TimeSpan.FromSeconds(3));
        options.RegistrationsFile.ShouldBe(_folder + ".registrations.json");
    }

    [Theory]
    [InlineData("Mesh:Compat:Retry503", "true", new[] { 503u })]
    [InlineData("Mesh:ControlPlane:Compat:Retry503", "true", new[] { 503u })]
    [InlineData("Mesh:Compat:Retry503", "false", new uint[0])]
    public async Task The_older_default_of_retries_is_one_setting_away(string key, string value, uint[] codes)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { [key] = value }).Build();
        var services = new ServiceCollection().AddSingleton<IConfiguration>(configuration);
        services.AddMeshControlPlane(options => options.ConfigFolder = _folder);
        var provider = services.BuildServiceProvider();
        _providers.Add(provider);

        await using var client = await ConnectAsync(provider, TestNodes.Of("client"));
        await client.SubscribeAsync(TypeUrls.RouteConfiguration, Reviews);

        var routes = await client.WaitForAsync<RouteConfiguration>(TypeUrls.RouteConfiguration, Reviews, _ => true);
        routes.VirtualHosts[0].Routes[0].Route_.RetryPolicy.RetriableStatusCodes.ShouldBe(codes);
    }

    [Fact]
    public void Settings_that_cannot_work_are_named_each()
    {
        var controlPlane = Start(options =>
        {
            options.ConfigFolder = "/nowhere/mesh";
            options.ClusterDomain = "cluster local";
            options.DisconnectGrace = TimeSpan.FromSeconds(-1);
        });

        var failure = Should.Throw<OptionsValidationException>(() => controlPlane.GetRequiredService<IAdsServer>());
        failure.Failures.Count().ShouldBe(3);
        failure.Message.ShouldContain("/nowhere/mesh");
        failure.Message.ShouldContain("cluster.local");
    }

    private sealed record TestMeshBuilder(IServiceCollection Services) : IMeshBuilder;
}
