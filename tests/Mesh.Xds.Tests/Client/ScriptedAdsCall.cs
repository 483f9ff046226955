using System.Threading.Channels;
using Mesh.Xds.Ads;
using Mesh.Xds.Grpc;

namespace Mesh.Xds.Tests.Client;

/// <summary>Both ends of one stream: the client's as <see cref="IAdsCall{TOut,TIn}"/>, the server's as the test's own.</summary>
internal sealed class ScriptedAdsCall<TRequest, TResponse> : IAdsCall<TRequest, TResponse>
    where TRequest : class
    where TResponse : class
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(30);
    private readonly Channel<TRequest> _requests = Channel.CreateUnbounded<TRequest>();
    private readonly Channel<TResponse> _responses = Channel.CreateUnbounded<TResponse>();
    private readonly TaskCompletionSource _disposed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _read;

    /// <summary>How many responses the client has taken.</summary>
    public int ResponsesRead => Volatile.Read(ref _read);

    /// <summary>Completes when the client has let go of the stream.</summary>
    public Task Disposed => _disposed.Task.WaitAsync(Guard);

    public async Task<TRequest> NextAsync() => await _requests.Reader.ReadAsync().AsTask().WaitAsync(Guard);

    public bool TryNext(out TRequest? request) => _requests.Reader.TryRead(out request);

    public void Send(TResponse response) => _responses.Writer.TryWrite(response);

    public void End() => _responses.Writer.TryComplete();

    public void Fail(StatusCode code, string detail) => _responses.Writer.TryComplete(new RpcException(code, detail));

    ValueTask IAdsCall<TRequest, TResponse>.WriteAsync(TRequest message, CancellationToken cancellationToken)
        => _requests.Writer.WriteAsync(message, cancellationToken);

    async ValueTask<TResponse?> IAdsCall<TRequest, TResponse>.ReadAsync(CancellationToken cancellationToken)
    {
        if (!await _responses.Reader.WaitToReadAsync(cancellationToken))
        {
            return null;
        }

        Interlocked.Increment(ref _read);
        _responses.Reader.TryRead(out var response);
        return response;
    }

    public ValueTask DisposeAsync()
    {
        _disposed.TrySetResult();
        return ValueTask.CompletedTask;
    }
}
