using Envoy.Service.Discovery.V3;
using Mesh.Xds.Ads;

namespace Mesh.Testing.Tests;

/// <summary>A way to the control plane on which responses can be held up or damaged.</summary>
internal sealed class GatedAdsTransport(IAdsTransport inner) : IAdsTransport
{
    private TaskCompletionSource _open = Completed();

    /// <summary>Completes when a response of the kind is being held up.</summary>
    public TaskCompletionSource Holding { get; private set; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Which kind is held up; <see langword="null"/>: every kind.</summary>
    public string? TypeUrl { get; set; }

    /// <summary>Changes what arrives.</summary>
    public Action<DeltaDiscoveryResponse>? Damage { get; set; }

    public string Target => inner.Target;

    public void Close(string? typeUrl = null)
    {
        TypeUrl = typeUrl;
        Holding = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    public void Open() => _open.TrySetResult();

    public ValueTask<IAdsCall<DiscoveryRequest, DiscoveryResponse>> OpenStreamAsync(CancellationToken cancellationToken)
        => inner.OpenStreamAsync(cancellationToken);

    public async ValueTask<IAdsCall<DeltaDiscoveryRequest, DeltaDiscoveryResponse>> OpenDeltaStreamAsync(CancellationToken cancellationToken)
        => new Call(this, await inner.OpenDeltaStreamAsync(cancellationToken));

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private static TaskCompletionSource Completed()
    {
        var completed = new TaskCompletionSource();
        completed.SetResult();
        return completed;
    }

    private sealed class Call(GatedAdsTransport gate, IAdsCall<DeltaDiscoveryRequest, DeltaDiscoveryResponse> inner)
        : IAdsCall<DeltaDiscoveryRequest, DeltaDiscoveryResponse>
    {
        public ValueTask WriteAsync(DeltaDiscoveryRequest message, CancellationToken cancellationToken) => inner.WriteAsync(message, cancellationToken);

        public async ValueTask<DeltaDiscoveryResponse?> ReadAsync(CancellationToken cancellationToken)
        {
            var response = await inner.ReadAsync(cancellationToken);
            if (response is not null && (gate.TypeUrl is null || gate.TypeUrl == response.TypeUrl))
            {
                gate.Damage?.Invoke(response);
                if (!gate._open.Task.IsCompleted)
                {
                    gate.Holding.TrySetResult();
                    await gate._open.Task.WaitAsync(cancellationToken);
                }
            }

            return response;
        }

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
