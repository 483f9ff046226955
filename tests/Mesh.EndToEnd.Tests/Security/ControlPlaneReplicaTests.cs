using System.Globalization;
using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;
using Google.Protobuf;
using Mesh.EndToEnd.Tests.Lab;
using Mesh.Xds.Ads;
using Mesh.Xds.Grpc;

namespace Mesh.EndToEnd.Tests.Security;

/// <summary>Two control planes over the same documents: the same answers, and either may die.</summary>
public sealed class ControlPlaneReplicaTests
{
    private static readonly string[] Kinds = [TypeUrls.Listener, TypeUrls.Cluster, TypeUrls.RouteConfiguration, TypeUrls.ClusterLoadAssignment];

    [Fact]
    public async Task Replicas_serve_the_same_bytes()
    {
        await using var lab = new MeshLab();
        Save(lab, "v1");
        lab.Folder.Save("entries.yaml", """
            apiVersion: networking.istio.io/v1
            kind: WorkloadEntry
            metadata: {name: echo-v1}
            spec: {address: 10.0.0.1, ports: {http: 80}, labels: {app: echo, version: v1}, serviceAccount: echo}
            ---
            apiVersion: networking.istio.io/v1
            kind: WorkloadEntry
            metadata: {name: echo-v2}
            spec: {address: 10.0.0.2, ports: {http: 80}, labels: {app: echo, version: v2}, serviceAccount: echo}
            """);
        await lab.StartControlPlaneAsync(options => options.RegistrationsFile = "");
        await using var second = await ControlPlaneHost.StartAsync(lab.Log, lab.Folder.Path, configure: options => options.RegistrationsFile = "");

        var one = await ReadAsync(lab.ControlPlane);
        var other = await ReadAsync(second);

        one.Count.ShouldBe(Kinds.Length);
        one.Values.ShouldAllBe(response => response.Resources.Count > 0);
        foreach (var kind in Kinds)
        {
            other[kind].VersionInfo.ShouldBe(one[kind].VersionInfo, kind);
            other[kind].Resources.Select(r => r.ToByteString()).ShouldBe(one[kind].Resources.Select(r => r.ToByteString()), kind);
        }
    }

    [Fact]
    public async Task One_that_is_killed_under_load_costs_no_request_and_the_other_is_in_charge()
    {
        await using var lab = new MeshLab();
        Save(lab, "v1");
        await lab.StartControlPlaneAsync(options => options.RegistrationsFile = "");

        // It has been there for long: nothing is excused by its having just started.
        await using var second = await ControlPlaneHost.StartAsync(lab.Log, lab.Folder.Path, configure: options => options.RegistrationsFile = "");
        void TwoServers(MeshOptions options) => options.Xds.AlternateServers.Add(second.Address);
        foreach (var version in new[] { "v1", "v2" })
        {
            await lab.StartWorkloadAsync("echo", version, configure: TwoServers);
        }

        await lab.WhenRegisteredAsync("echo", 2);
        var caller = await lab.StartCallerAsync(TwoServers);
        var load = new Load(lab.Log, caller.Client, ["http://echo"]);
        await load.MoreAsync(300);

        await lab.KillControlPlaneAsync();
        await second.WhenRegisteredAsync(workloads => workloads.Count() == 2);
        await second.Requests.WhenAsync(streams => streams.Any(stream => stream.Requests.Any(r => r.TypeUrl == TypeUrls.ClusterLoadAssignment)));
        await second.FlushAsync();
        await load.MoreAsync(500);

        Save(lab, "v2");
        await second.WhenLiveAsync("VirtualService", "\"v2\"");
        using var response = await caller.Client.GetAsync("http://echo/");
        response.Headers.GetValues(Workload.VersionHeader).Single().ShouldBe("v2");
        await load.StopAsync(atLeast: 800);
    }

    private static void Save(MeshLab lab, string version)
    {
        lab.Folder.Save("services.yaml", Yaml.Service("echo", "http", "v1", "v2"));
        lab.Folder.Save("rules.yaml", Yaml.Split("echo", (version, 100)));
    }

    /// <summary>What a client that asks for everything is told first, kind by kind.</summary>
    private static async Task<Dictionary<string, DiscoveryResponse>> ReadAsync(ControlPlaneHost controlPlane)
    {
        await using var transport = new GrpcAdsTransport(controlPlane.Address, new GrpcChannelOptions());
        await using var stream = await transport.OpenStreamAsync(default);
        using var guard = new CancellationTokenSource(Guard.Hang);
        var found = new Dictionary<string, DiscoveryResponse>();
        var names = new Dictionary<string, string[]>
        {
            [TypeUrls.RouteConfiguration] = ["outbound|80||echo.default.svc.cluster.local"],
            [TypeUrls.ClusterLoadAssignment] = ["outbound|80||echo.default.svc.cluster.local", "outbound|80|v1|echo.default.svc.cluster.local"],
        };
        foreach (var kind in Kinds)
        {
            var request = new DiscoveryRequest { Node = new Node { Id = "reader", UserAgentName = "mesh" }, TypeUrl = kind };
            request.ResourceNames.AddRange(names.GetValueOrDefault(kind) ?? []);
            await stream.WriteAsync(request, guard.Token);
            var response = await stream.ReadAsync(guard.Token);
            response!.TypeUrl.ShouldBe(kind);
            found[kind] = response;
            await stream.WriteAsync(new DiscoveryRequest { TypeUrl = kind, VersionInfo = response.VersionInfo, ResponseNonce = response.Nonce, ResourceNames = { request.ResourceNames } }, guard.Token);
        }

        return found;
    }
}
