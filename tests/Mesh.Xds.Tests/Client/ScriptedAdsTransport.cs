using System.Threading.Channels;
using Envoy.Service.Discovery.V3;
using Mesh.Xds.Ads;
using Mesh.Xds.Grpc;

namespace Mesh.Xds.Tests.Client;

/// <summary>A server that does only what the test says, stream by stream.</summary>
internal sealed class ScriptedAdsTransport(string target = "scripted") : IAdsTransport
{
    private readonly Channel<object> _streams = Channel.CreateUnbounded<object>();

    public string Target { get; } = target;

    /// <summary>When set, opening a stream fails.</summary>
    public RpcException? Refuse { get; set; }

    public int Opened { get; private set; }

    public bool IsDisposed { get; private set; }

    public ValueTask<IAdsCall<DiscoveryRequest, DiscoveryResponse>> OpenStreamAsync(CancellationToken cancellationToken)
        => Open<DiscoveryRequest, DiscoveryResponse>(cancellationToken);

    public ValueTask<IAdsCall<DeltaDiscoveryRequest, DeltaDiscoveryResponse>> OpenDeltaStreamAsync(CancellationToken cancellationToken)
        => Open<DeltaDiscoveryRequest, DeltaDiscoveryResponse>(cancellationToken);

    public async Task<ScriptedAdsCall<DeltaDiscoveryRequest, DeltaDiscoveryResponse>> AcceptDeltaAsync()
        => (ScriptedAdsCall<DeltaDiscoveryRequest, DeltaDiscoveryResponse>)await _streams.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));

    public async Task<ScriptedAdsCall<DiscoveryRequest, DiscoveryResponse>> AcceptSotwAsync()
        => (ScriptedAdsCall<DiscoveryRequest, DiscoveryResponse>)await _streams.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));

    public ValueTask DisposeAsync()
    {
        IsDisposed = true;
        return ValueTask.CompletedTask;
    }

    private ValueTask<IAdsCall<TRequest, TResponse>> Open<TRequest, TResponse>(CancellationToken cancellationToken)
        where TRequest : class
        where TResponse : class
    {
        cancellationToken.ThrowIfCancellationRequested();
        Opened++;
        if (Refuse is { } refusal)
        {
            throw refusal;
        }

        var call = new ScriptedAdsCall<TRequest, TResponse>();
        _streams.Writer.TryWrite(call);
        return new(call);
    }
}
