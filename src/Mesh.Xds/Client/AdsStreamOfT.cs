using Envoy.Config.Core.V3;
using Mesh.Xds.Ads;

namespace Mesh.Xds.Client;

/// <summary>What the two variants share: the call, and the node on the first request.</summary>
internal abstract class AdsStream<TRequest, TResponse>(Node node) : AdsStream
    where TResponse : class
{
    private Node? _node = node;
    private IAdsCall<TRequest, TResponse>? _call;

    public sealed override async Task OpenAsync(CancellationToken cancellationToken) => _call = await OpenCallAsync(cancellationToken);

    public sealed override async Task<AdsUpdate?> ReadAsync(CancellationToken cancellationToken)
        => await _call!.ReadAsync(cancellationToken) is { } response ? Read(response) : null;

    public sealed override Task WriteAsync(object request, CancellationToken cancellationToken) => _call!.WriteAsync((TRequest)request, cancellationToken).AsTask();

    public sealed override ValueTask DisposeAsync() => _call?.DisposeAsync() ?? ValueTask.CompletedTask;

    protected abstract ValueTask<IAdsCall<TRequest, TResponse>> OpenCallAsync(CancellationToken cancellationToken);

    protected abstract AdsUpdate Read(TResponse response);

    /// <summary>The node, once (xDS protocol: only the first request on a stream has to carry it).</summary>
    protected Node? TakeNode()
    {
        var node = _node;
        _node = null;
        return node;
    }
}
