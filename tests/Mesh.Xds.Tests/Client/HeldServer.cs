using Envoy.Service.Discovery.V3;
using Mesh.Xds.Ads;

namespace Mesh.Xds.Tests.Client;

/// <summary>Writes and reads when the test says so, whatever is cancelled.</summary>
internal sealed class HeldServer : IAdsTransport, IAdsCall<DeltaDiscoveryRequest, DeltaDiscoveryResponse>
{
    private bool _hasResponded;

    public string Target => "held";

    public TaskCompletionSource Writing { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskCompletionSource Written { get; } = new();

    public TaskCompletionSource<DeltaDiscoveryResponse?> Response { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ValueTask<IAdsCall<DiscoveryRequest, DiscoveryResponse>> OpenStreamAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<IAdsCall<DeltaDiscoveryRequest, DeltaDiscoveryResponse>> OpenDeltaStreamAsync(CancellationToken cancellationToken) => new(this);

    public ValueTask WriteAsync(DeltaDiscoveryRequest message, CancellationToken cancellationToken)
    {
        Writing.TrySetResult();
        return new(Written.Task);
    }

    public ValueTask<DeltaDiscoveryResponse?> ReadAsync(CancellationToken cancellationToken)
    {
        if (_hasResponded)
        {
            return new((DeltaDiscoveryResponse?)null);
        }

        _hasResponded = true;
        return new(Response.Task);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
