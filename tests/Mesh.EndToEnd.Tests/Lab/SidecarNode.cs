using System.Collections.Concurrent;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Service.Discovery.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Xds.Ads;
using Mesh.Xds.Serving;

namespace Mesh.EndToEnd.Tests.Lab;

/// <summary>
/// A proxy beside an application, as far as it listens to the control plane: it subscribes to every listener and cluster and to the endpoints of
/// each cluster, acknowledges whatever comes, and keeps it. What <c>istioctl proxy-config</c> would show.
/// </summary>
internal sealed class SidecarNode : IAsyncDisposable
{
    private readonly InProcessAdsTransport _transport;
    private readonly IAdsCall<DeltaDiscoveryRequest, DeltaDiscoveryResponse> _call;
    private readonly ConcurrentDictionary<(string TypeUrl, string Name), Any> _resources = new();
    private readonly TaskCompletionSource _known = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _reading;
    private Node? _node;
    private int _responses;

    private SidecarNode(InProcessAdsTransport transport, IAdsCall<DeltaDiscoveryRequest, DeltaDiscoveryResponse> call, Node node)
    {
        (_transport, _call, _node) = (transport, call, node);
        _reading = RunAsync();
    }

    /// <summary>How many responses have come so far.</summary>
    public int Responses => Volatile.Read(ref _responses);

    /// <summary>Connects; completes when the control plane knows what it wants to have, so that a wait for all answers waits for those to it.</summary>
    public static async Task<SidecarNode> ConnectAsync(IAdsServer server, string app, string version, string @namespace = "default")
    {
        var transport = new InProcessAdsTransport(server);
        var node = new Node
        {
            Id = $"sidecar~10.0.0.1~{app}-{version}.{@namespace}~{@namespace}.svc.cluster.local",
            UserAgentName = "envoy",
            Metadata = Struct.Parser.ParseJson($$$"""{"NAMESPACE":"{{{@namespace}}}","LABELS":{"app":"{{{app}}}","version":"{{{version}}}"}}"""),
        };
        var sidecar = new SidecarNode(transport, await transport.OpenDeltaStreamAsync(CancellationToken.None), node);
        await sidecar._known.Task.OrHang();
        return sidecar;
    }

    /// <summary>The names of what it holds of a kind.</summary>
    public IReadOnlyList<string> Names(string typeUrl)
        => [.. _resources.Keys.Where(key => key.TypeUrl == typeUrl).Select(key => key.Name).Order(StringComparer.Ordinal)];

    /// <summary>Cluster and port of each endpoint that it holds.</summary>
    public IReadOnlyList<(string Cluster, uint Port)> Endpoints()
        =>
        [
            .. _resources.Where(resource => resource.Key.TypeUrl == TypeUrls.ClusterLoadAssignment)
                .Select(resource => resource.Value.Unpack<ClusterLoadAssignment>())
                .SelectMany(assignment => assignment.Endpoints.SelectMany(locality => locality.LbEndpoints)
                    .Select(endpoint => (assignment.ClusterName, endpoint.Endpoint.Address.SocketAddress.PortValue))),
        ];

    public async ValueTask DisposeAsync()
    {
        await _transport.DisposeAsync().AsTask().OrHang();
        await _call.DisposeAsync().AsTask().OrHang();
        await _reading.OrHang();
    }

    private async Task RunAsync()
    {
        await Task.Yield();
        await SendAsync(new DeltaDiscoveryRequest { TypeUrl = TypeUrls.Cluster, ResourceNamesSubscribe = { "*" } });
        await SendAsync(new DeltaDiscoveryRequest { TypeUrl = TypeUrls.Listener, ResourceNamesSubscribe = { "*" } });
        try
        {
            while (await _call.ReadAsync(CancellationToken.None) is { } response)
            {
                await TakeAsync(response);
            }
        }
        catch (Exception e) when (e is Mesh.Xds.Grpc.RpcException or OperationCanceledException)
        {
            // The stream is over.
        }
    }

    private async Task TakeAsync(DeltaDiscoveryResponse response)
    {
        foreach (var resource in response.Resources)
        {
            _resources[(response.TypeUrl, resource.Name)] = resource.Resource_;
        }

        foreach (var name in response.RemovedResources)
        {
            _resources.TryRemove((response.TypeUrl, name), out _);
        }

        if (response.TypeUrl == TypeUrls.Cluster)
        {
            // Before the answer: what is asked for because of a response belongs to it.
            await SendAsync(new DeltaDiscoveryRequest
            {
                TypeUrl = TypeUrls.ClusterLoadAssignment,
                ResourceNamesSubscribe = { response.Resources.Select(resource => resource.Name) },
                ResourceNamesUnsubscribe = { response.RemovedResources },
            });
            foreach (var name in response.RemovedResources)
            {
                _resources.TryRemove((TypeUrls.ClusterLoadAssignment, name), out _);
            }
        }

        Interlocked.Increment(ref _responses);
        await SendAsync(new DeltaDiscoveryRequest { TypeUrl = response.TypeUrl, ResponseNonce = response.Nonce });

        // Listeners are asked for last.
        if (response.TypeUrl == TypeUrls.Listener)
        {
            _known.TrySetResult();
        }
    }

    private Task SendAsync(DeltaDiscoveryRequest request)
    {
        request.Node = _node;
        _node = null;
        return _call.WriteAsync(request, CancellationToken.None).AsTask();
    }
}
