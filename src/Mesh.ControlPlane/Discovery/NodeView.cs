using Google.Rpc;
using Mesh.ControlPlane.Generators;
using Mesh.ControlPlane.Registry;
using Mesh.Xds.Ads;
using Mesh.Xds.Serving;
using Microsoft.Extensions.Logging;

namespace Mesh.ControlPlane.Discovery;

/// <summary>What one connected node sees of the mesh, and the workload it speaks for.</summary>
internal sealed partial class NodeView : IAdsNodeView
{
    private readonly DiscoveryServer _server;
    private readonly string _nodeId;
    private readonly WorkloadSession? _session;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource? _expiry;
    private readonly ITimer? _settling;
    private volatile bool _isNew;
    private volatile bool _hasReserve;
    private bool _toldOfKeys;

    /// <param name="server">The mesh.</param>
    /// <param name="nodeId">The node's id.</param>
    /// <param name="proxy">Who it is.</param>
    /// <param name="session">The workload that it speaks for.</param>
    /// <param name="logger">Where it tells.</param>
    /// <param name="expiry">Fires when its proof ends.</param>
    /// <param name="settleTime">How long it counts as new.</param>
    /// <param name="time">The clock.</param>
    public NodeView(
        DiscoveryServer server,
        string nodeId,
        Proxy proxy,
        WorkloadSession? session,
        ILogger logger,
        CancellationTokenSource? expiry = null,
        TimeSpan settleTime = default,
        TimeProvider? time = null)
    {
        (_server, _nodeId, Proxy, _session, _logger, _expiry) = (server, nodeId, proxy, session, logger, expiry);
        Expired = expiry?.Token ?? CancellationToken.None;
        if (settleTime > TimeSpan.Zero && time is not null)
        {
            _isNew = true;
            _settling = time.CreateTimer(static state => ((NodeView)state!).Settle(), this, settleTime, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Who it is.</summary>
    public Proxy Proxy { get; }

    public CancellationToken Expired { get; }

    public IReadOnlyCollection<AdsResource> GetResources(string typeUrl, bool wildcard, IReadOnlyCollection<string> names)
    {
        if (typeUrl == TypeUrls.Secret && !Proxy.MayReadKeys && !_toldOfKeys
            && names.FirstOrDefault(name => SecretName.TryParse(name, out var secret) && !secret.IsAuthority) is { } key)
        {
            _toldOfKeys = true;
            Log.NoKeys(_logger, _nodeId, key);
        }

        var resources = _server.GetResources(Proxy, typeUrl, wildcard, names, _isNew);
        _hasReserve |= _isNew && resources.Any(resource => resource.IsTentative);
        return resources;
    }

    public bool Serves(string typeUrl)
        => typeUrl is TypeUrls.Listener or TypeUrls.RouteConfiguration or TypeUrls.Cluster or TypeUrls.ClusterLoadAssignment or TypeUrls.Secret;

    public void OnAck(string typeUrl, string version)
    {
    }

    public void OnNack(string typeUrl, string version, Status error) => Log.Refused(_logger, _nodeId, typeUrl, version, error.Message);

    public async Task OnHealthAsync(bool healthy, string? message, CancellationToken cancellationToken)
    {
        if (_session is null)
        {
            return;
        }

        _session.ReportReady(healthy);
        await _server.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    public void Dispose()
    {
        _settling?.Dispose();
        _expiry?.Dispose();
        _session?.Dispose();
    }

    private void Settle()
    {
        _isNew = false;
        if (_hasReserve)
        {
            _server.Settle(this);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3301, LogLevel.Warning, "Node {NodeId} refused {TypeUrl} version {Version}: {Reason}")]
        public static partial void Refused(ILogger logger, string nodeId, string typeUrl, string version, string reason);

        [LoggerMessage(3302, LogLevel.Warning, "Node {NodeId} asks for {Name} and is not given it: private keys leave this machine for nobody who has not proven who it is. Name files of the node's own machine by clientCertificate and privateKey.")]
        public static partial void NoKeys(ILogger logger, string nodeId, string name);
    }
}
