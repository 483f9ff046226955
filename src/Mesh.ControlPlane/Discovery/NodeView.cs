using Google.Rpc;
using Mesh.ControlPlane.Generators;
using Mesh.ControlPlane.Registry;
using Mesh.Xds.Ads;
using Mesh.Xds.Serving;
using Microsoft.Extensions.Logging;

namespace Mesh.ControlPlane.Discovery;

/// <summary>What one connected node sees of the mesh, and the workload it speaks for.</summary>
internal sealed partial class NodeView(DiscoveryServer server, string nodeId, Proxy proxy, WorkloadSession? session, ILogger logger, CancellationTokenSource? expiry = null) : IAdsNodeView
{
    private bool _toldOfKeys;

    /// <summary>Who it is.</summary>
    public Proxy Proxy => proxy;

    public CancellationToken Expired { get; } = expiry?.Token ?? CancellationToken.None;

    public IReadOnlyCollection<AdsResource> GetResources(string typeUrl, bool wildcard, IReadOnlyCollection<string> names)
    {
        if (typeUrl == TypeUrls.Secret && !proxy.MayReadKeys && !_toldOfKeys
            && names.FirstOrDefault(name => SecretName.TryParse(name, out var secret) && !secret.IsAuthority) is { } key)
        {
            _toldOfKeys = true;
            Log.NoKeys(logger, nodeId, key);
        }

        return server.GetResources(proxy, typeUrl, wildcard, names);
    }

    public bool Serves(string typeUrl)
        => typeUrl is TypeUrls.Listener or TypeUrls.RouteConfiguration or TypeUrls.Cluster or TypeUrls.ClusterLoadAssignment or TypeUrls.Secret;

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

    public void Dispose()
    {
        expiry?.Dispose();
        session?.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(3301, LogLevel.Warning, "Node {NodeId} refused {TypeUrl} version {Version}: {Reason}")]
        public static partial void Refused(ILogger logger, string nodeId, string typeUrl, string version, string reason);

        [LoggerMessage(3302, LogLevel.Warning, "Node {NodeId} asks for {Name} and is not given it: private keys leave this machine for nobody who has not proven who it is. Name files of the node's own machine by clientCertificate and privateKey.")]
        public static partial void NoKeys(ILogger logger, string nodeId, string name);
    }
}
