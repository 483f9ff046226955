using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;
using Mesh.Xds.Ads;

namespace Mesh.Xds.Tests.Serving;

/// <summary>The client's end of an incremental stream, in the hands of the test.</summary>
internal sealed class DeltaPeer(IAdsCall<DeltaDiscoveryRequest, DeltaDiscoveryResponse> call)
{
    private bool _hasSent;

    public Task SendAsync(DeltaDiscoveryRequest request)
    {
        if (!_hasSent)
        {
            request.Node ??= new Node { Id = "peer" };
            _hasSent = true;
        }

        return call.WriteAsync(request, CancellationToken.None).AsTask().Guarded();
    }

    public Task SubscribeAsync(string typeUrl, params string[] names) =>
        SendAsync(new DeltaDiscoveryRequest { TypeUrl = typeUrl, ResourceNamesSubscribe = { names } });

    public Task UnsubscribeAsync(string typeUrl, params string[] names) =>
        SendAsync(new DeltaDiscoveryRequest { TypeUrl = typeUrl, ResourceNamesUnsubscribe = { names } });

    public async Task<DeltaDiscoveryResponse> ReceiveAsync() =>
        await call.ReadAsync(CancellationToken.None).AsTask().Guarded() ?? throw new InvalidOperationException("the stream has ended");

    public Task AckAsync(DeltaDiscoveryResponse response) =>
        SendAsync(new DeltaDiscoveryRequest { TypeUrl = response.TypeUrl, ResponseNonce = response.Nonce });

    public Task NackAsync(DeltaDiscoveryResponse response, string reason) => SendAsync(new DeltaDiscoveryRequest
    {
        TypeUrl = response.TypeUrl,
        ResponseNonce = response.Nonce,
        ErrorDetail = new Google.Rpc.Status { Code = 3, Message = reason },
    });

    public async Task<DeltaDiscoveryResponse> ReceiveAndAckAsync()
    {
        var response = await ReceiveAsync();
        await AckAsync(response);
        return response;
    }

    public ValueTask DisposeAsync() => call.DisposeAsync();

    public static string[] NamesOf(DeltaDiscoveryResponse response) => response.Resources.Select(resource => resource.Name).ToArray();
}
