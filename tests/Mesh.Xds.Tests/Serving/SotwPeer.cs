using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Xds.Ads;

namespace Mesh.Xds.Tests.Serving;

/// <summary>The client's end of a state-of-the-world stream, in the hands of the test.</summary>
internal sealed class SotwPeer(IAdsCall<DiscoveryRequest, DiscoveryResponse> call)
{
    private readonly Dictionary<string, string> _versions = [];
    private readonly Dictionary<string, string[]> _names = [];
    private bool _hasSent;

    public Task SendAsync(DiscoveryRequest request)
    {
        if (!_hasSent)
        {
            request.Node ??= new Node { Id = "peer" };
            _hasSent = true;
        }

        return call.WriteAsync(request, CancellationToken.None).AsTask().Guarded();
    }

    /// <summary>Asks on the nonce given, as a client does whose names changed.</summary>
    public Task SubscribeAsync(string typeUrl, string nonce, params string[] names)
    {
        _names[typeUrl] = names;
        return SendAsync(new DiscoveryRequest
        {
            TypeUrl = typeUrl,
            ResourceNames = { names },
            ResponseNonce = nonce,
            VersionInfo = _versions.GetValueOrDefault(typeUrl, ""),
        });
    }

    public async Task<DiscoveryResponse> ReceiveAsync() =>
        await call.ReadAsync(CancellationToken.None).AsTask().Guarded() ?? throw new InvalidOperationException("the stream has ended");

    public async Task<DiscoveryResponse?> ReceiveEndAsync() => await call.ReadAsync(CancellationToken.None).AsTask().Guarded();

    public Task AckAsync(DiscoveryResponse response)
    {
        _versions[response.TypeUrl] = response.VersionInfo;
        return SubscribeAsync(response.TypeUrl, response.Nonce, _names.GetValueOrDefault(response.TypeUrl, []));
    }

    public Task NackAsync(DiscoveryResponse response, string reason) => SendAsync(new DiscoveryRequest
    {
        TypeUrl = response.TypeUrl,
        ResourceNames = { _names.GetValueOrDefault(response.TypeUrl, []) },
        ResponseNonce = response.Nonce,
        VersionInfo = _versions.GetValueOrDefault(response.TypeUrl, ""),
        ErrorDetail = new Google.Rpc.Status { Code = 3, Message = reason },
    });

    public async Task<DiscoveryResponse> ReceiveAndAckAsync()
    {
        var response = await ReceiveAsync();
        await AckAsync(response);
        return response;
    }

    public ValueTask DisposeAsync() => call.DisposeAsync();

    public static string[] NamesOf(DiscoveryResponse response) => response.Resources.Select(NameOf).ToArray();

    private static string NameOf(Any resource) => resource.TypeUrl switch
    {
        TypeUrls.Listener => resource.Unpack<Envoy.Config.Listener.V3.Listener>().Name,
        TypeUrls.RouteConfiguration => resource.Unpack<Envoy.Config.Route.V3.RouteConfiguration>().Name,
        TypeUrls.Cluster => resource.Unpack<Envoy.Config.Cluster.V3.Cluster>().Name,
        TypeUrls.ClusterLoadAssignment => resource.Unpack<Envoy.Config.Endpoint.V3.ClusterLoadAssignment>().ClusterName,
        TypeUrls.Secret => resource.Unpack<Envoy.Extensions.TransportSockets.Tls.V3.Secret>().Name,
        _ => throw new ArgumentException(resource.TypeUrl),
    };
}
