using System.Collections.Concurrent;
using Mesh.Xds.Ads;
using Mesh.Xds.Serving;
using Mesh.Xds.Settings;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Mesh.ControlPlane.Tests.Hosting;

/// <summary>What somebody who uses it for the first time gets wrong, and what they are told.</summary>
public sealed class FirstUseTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("mesh-first-");

    public void Dispose() => _folder.Delete(recursive: true);

    private static string[] Unknown(params (string Key, string Value)[] settings)
        => [.. UnknownSettings.Find(
            new ConfigurationBuilder().AddInMemoryCollection(settings.ToDictionary(s => s.Key, s => (string?)s.Value)).Build(),
            [new("Mesh", typeof(MeshOptions)), new("Mesh:ControlPlane", typeof(MeshControlPlaneOptions))]).Select(f => f.Key + f.Hint)];

    [Theory]
    [InlineData("Mesh:Xds:Sever", "Mesh:Xds:Sever Did you mean \"Server\"?")]
    [InlineData("Mesh:Workload:name2", "Mesh:Workload:name2 Did you mean \"Name\"?")]
    [InlineData("Mesh:Wrokload:Name", "Mesh:Wrokload Did you mean \"Workload\"?")]
    [InlineData("Mesh:ControlPlan:ConfigFolder", "Mesh:ControlPlan Did you mean \"ControlPlane\"?")]
    [InlineData("Mesh:ControlPlane:ConfigFoldr", "Mesh:ControlPlane:ConfigFoldr Did you mean \"ConfigFolder\"?")]
    [InlineData("Mesh:Server:Zzzzzzzz", "Mesh:Server:Zzzzzzzz Mesh:Server knows AllowAmbiguousFraming, AllowBareLineFeeds, AllowUnmeshed, CaseInsensitivePaths, DrainDuration, DrainTimeout, EndConnectionsWithCertificate, Inbound, Register.")]
    public void A_setting_that_nothing_reads_is_told_with_the_nearest_name(string key, string told) => Unknown((key, "x")).ShouldBe([told]);

    [Fact]
    public void Settings_that_are_read_or_belong_to_another_package_are_not_told()
        => Unknown(
            ("mesh:xds:server", "x"),
            ("Mesh:Workload:Labels:anything", "x"),
            ("Mesh:Workload:Addresses:http", "x"),
            ("Mesh:Preload:0", "a:1"),
            ("Mesh:Compat:Retry503", "true"),
            ("Mesh:ControlPlane:Lenient", "true"),
            ("Meshed:Else", "x")).ShouldBeEmpty();

    [Fact]
    public async Task The_start_of_an_application_tells_of_them_and_goes_on()
    {
        var logs = new Logs();
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders().AddProvider(logs);
        builder.Configuration["Mesh:ControlPlane:PushDebonce"] = "00:00:01";
        builder.Services.AddMeshControlPlane(o => o.ConfigFolder = _folder.FullName);
        using var host = builder.Build();
        await host.StartAsync();
        await host.StopAsync();

        logs.Lines.ShouldContain("Warning The setting Mesh:ControlPlane:PushDebonce is read by nothing in this version. Did you mean \"PushDebounce\"?");
    }

    [Fact]
    public void A_folder_that_is_not_there_is_named_with_both_places_it_may_come_from()
    {
        var services = new ServiceCollection();
        services.AddMeshControlPlane(o => o.ConfigFolder = "/no/such/mesh");
        using var provider = services.BuildServiceProvider();
        Should.Throw<OptionsValidationException>(() => provider.GetRequiredService<IOptions<MeshControlPlaneOptions>>().Value)
            .Message.ShouldBe("The folder of Istio YAML \"/no/such/mesh\" does not exist; create it or correct the path, in LoadFromIstio or in Mesh:ControlPlane:ConfigFolder.");
    }

    [Theory]
    [InlineData("reviews", false)]
    [InlineData("revews", true)]
    public async Task A_workload_that_no_service_selects_is_told_with_its_labels(string app, bool told)
    {
        File.WriteAllText(Path.Combine(_folder.FullName, "reviews.yaml"), "{apiVersion: v1, kind: Service, metadata: {name: reviews}, spec: {selector: {app: reviews}, ports: [{name: http, port: 9080}]}}");
        var logs = new Logs();
        var services = new ServiceCollection();
        services.AddLogging(l => l.AddProvider(logs));
        services.AddMeshControlPlane(o => o.ConfigFolder = _folder.FullName);
        await using var provider = services.BuildServiceProvider();
        await using var workload = await AdsPeer.ConnectAsync(new InProcessAdsTransport(provider.GetRequiredService<IAdsServer>()), TestNodes.Workload("w", app, "127.0.0.1:1"));
        await workload.SubscribeAsync(TypeUrls.Listener, "reviews:9080");
        await workload.WaitForAsync<Envoy.Config.Listener.V3.Listener>(TypeUrls.Listener, "reviews:9080");
        provider.GetRequiredService<Mesh.ControlPlane.Discovery.DiscoveryServer>().Apply();

        logs.Lines.Count(line => line.Contains("selects the workload") && line.Contains($"app={app}")).ShouldBe(told ? 1 : 0);
    }

    [Theory]
    [InlineData("v1", true)]
    [InlineData("v2", false)]
    public async Task A_workload_that_two_Sidecars_select_is_told_with_both(string version, bool told)
    {
        File.WriteAllText(Path.Combine(_folder.FullName, "mesh.yaml"), """
            {apiVersion: v1, kind: Service, metadata: {name: reviews}, spec: {ports: [{name: http, port: 9080}]}}
            ---
            {apiVersion: networking.istio.io/v1, kind: Sidecar, metadata: {name: by-app}, spec: {workloadSelector: {labels: {app: web}}, egress: [{hosts: ["*/*"]}]}}
            ---
            {apiVersion: networking.istio.io/v1, kind: Sidecar, metadata: {name: by-version}, spec: {workloadSelector: {labels: {version: v1}}, egress: [{hosts: ["~/*"]}]}}
            """);
        var logs = new Logs();
        var services = new ServiceCollection();
        services.AddLogging(l => l.AddProvider(logs));
        services.AddMeshControlPlane(o => o.ConfigFolder = _folder.FullName);
        await using var provider = services.BuildServiceProvider();
        await using var workload = await AdsPeer.ConnectAsync(
            new InProcessAdsTransport(provider.GetRequiredService<IAdsServer>()),
            TestNodes.Of("w", $$$"""{"NAMESPACE":"default","LABELS":{"app":"web","version":"{{{version}}}"}}"""));
        await workload.SubscribeAsync(TypeUrls.Listener, "reviews:9080");
        await workload.WaitForAsync<Envoy.Config.Listener.V3.Listener>(TypeUrls.Listener, "reviews:9080");

        logs.Lines.Count(line => line.Contains("node w ") && line.Contains("default/by-app") && line.Contains("default/by-version") && line.Contains("by-app, the oldest, counts"))
            .ShouldBe(told ? 1 : 0);
    }

    private sealed class Logs : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            => Lines.Enqueue($"{logLevel} {formatter(state, exception)}");

        public void Dispose()
        {
        }
    }
}
