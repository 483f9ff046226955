using System.IO.Pipelines;
using Mesh.TestNet;
using Microsoft.AspNetCore.Connections;

namespace Mesh.EndToEnd.Tests.OutsideServices;

/// <summary>The sites that the labs fetch, an egress gateway of one site, and the application in a mesh from which nobody leaves unasked.</summary>
internal sealed class EgressWorld : IAsyncDisposable
{
    private const string Requestz = "http://myapp.default.svc.cluster.local:8080/requestz";
    private static readonly string[] Sites = ["www.google.com", "www.bbc.com", "www.cornell.edu", "www.uwo.ca", "www.yahoo.com"];

    private readonly Dictionary<string, OutsideHost> _sites = [];

    private EgressWorld(OutsideNet net, PodMesh mesh, OutsideHost gateway) => (Net, Mesh, Gateway) = (net, mesh, gateway);

    public OutsideNet Net { get; }

    public PodMesh Mesh { get; }

    /// <summary>
    /// Stands where the egress gateway of Istio stands: what comes over TLS for its one site is handed on as it is, by connection.
    /// </summary>
    public OutsideHost Gateway { get; }

    public static async Task<EgressWorld> StartAsync()
    {
        var net = OutsideNet.Start(SystemTrust.Authority);
        var gateway = await net.AddHostAsync("egressgateway.internal", options =>
        {
            options.HttpPort = options.HttpsPort = null;
            options.Tcp[443] = connection => ForwardAsync(connection, net);
        });
        var mesh = await PodMesh.StartAsync(
            LabYaml.Service("myapp", 8080) + LabYaml.Service("istio-egressgateway", 443, "tls") + $$"""
                apiVersion: networking.istio.io/v1
                kind: WorkloadEntry
                metadata: {name: istio-egressgateway}
                spec:
                  address: {{gateway.Address}}
                  ports: {tls: {{OutsideNet.LocalPort(443)}} }
                  labels: {app: istio-egressgateway}
                """,
            outside: net);
        var world = new EgressWorld(net, mesh, gateway);
        foreach (var site in Sites)
        {
            world._sites[site] = await net.AddHostAsync(site);
        }

        await mesh.AddAppAsync("myapp");
        return world;
    }

    public OutsideHost Site(string name) => _sites[name];

    /// <summary>Fetches the seven URLs.</summary>
    public async Task<IReadOnlyList<FetchedUrl>> FetchAsync() => FetchedUrl.Read((await Mesh.Caller().AskAsync(Requestz)).Body);

    public async ValueTask DisposeAsync()
    {
        await Mesh.DisposeAsync();
        await Net.DisposeAsync();
    }

    private static async Task ForwardAsync(ConnectionContext connection, OutsideNet net)
    {
        await using var site = await net.ConnectAsync("www.yahoo.com", 443, connection.ConnectionClosed);
        await Task.WhenAny(
            connection.Transport.Input.CopyToAsync(site, connection.ConnectionClosed),
            site.CopyToAsync(connection.Transport.Output.AsStream(), connection.ConnectionClosed));
    }
}
