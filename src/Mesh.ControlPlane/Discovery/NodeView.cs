using Google.Rpc;
using Mesh.ControlPlane.Generators;
using Mesh.ControlPlane.Registry;
using Mesh.Xds.Ads;
using Mesh.Xds.Serving;
using Microsoft.Extensions.Logging;

namespace Mesh.ControlPlane.Discovery;

/// <summary>What one connected node sees of the mesh, and the workload it speaks for.</summary>
internal sealed partial class NodeView(DiscoveryServer server, string nodeId, Proxy proxy, WorkloadSession? session, ILogger logger) : IAdsNodeView
{
    /// <summary>Who it is.</summary>
    public Proxy Proxy => proxy;

    public IReadOnlyCollection<AdsResource> GetResources(string typeUrl, bool wildcard, IReadOnlyCollection<string> names)
        => server.GetResources(proxy, typeUrl, wildcard, names);

    public bool Serves(string typeUrl)
        => typeUrl is TypeUrls.Listener or TypeUrls.RouteConfiguration or TypeUrls.Cluster or TypeUrls.ClusterLoadAssignment;

    public void OnAck(string typeUrl, string version)
    {
    }

    public void OnNack(string typeUrl, string version, Status error) => Log.Refused(logger, nodeId, typeUrl, version, error.Message);

    public async Task OnHealthAsync(bool healthy, string? message, CancellationToken cancellationToken)
    {
        if (session is null)
        {
            return;
        }

        session.ReportReady(healthy);
        await server.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    public void Dispose() => session?.Dispose();

    private static partial class Log
    {
        [LoggerMessage(3301, LogLevel.Warning, "Node {NodeId} refused {TypeUrl} version {Version}: {Reason}")]
        public static partial void Refused(ILogger logger, string nodeId, string typeUrl, string version, string reason);
    }
}
