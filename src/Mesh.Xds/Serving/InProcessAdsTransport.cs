using System.Threading.Channels;
using Envoy.Service.Discovery.V3;
using Envoy.Service.LoadStats.V3;
using Mesh.Xds.Ads;
using Mesh.Xds.Certificates;
using Mesh.Xds.Grpc;

namespace Mesh.Xds.Serving;

/// <summary>Connects a client to the server engine in the same process: the same protocol over bounded channels, no socket.</summary>
/// <param name="server">The engine.</param>
/// <param name="target">What it is called in messages.</param>
/// <param name="loads">Who takes load reports, if anybody does.</param>
internal sealed class InProcessAdsTransport(IAdsServer server, string target = "in this process", ILoadReportServer? loads = null) : IAdsTransport, IDisposable
{
    /// <summary>Messages in flight per direction; what a socket's flow control would let through.</summary>
    private const int Window = 8;

    private readonly CancellationTokenSource _disposed = new();

    public string Target { get; } = target;

    public ValueTask<IAdsCall<DiscoveryRequest, DiscoveryResponse>> OpenStreamAsync(CancellationToken cancellationToken) =>
        Open<DiscoveryRequest, DiscoveryResponse>(server.ServeAsync, cancellationToken);

    public ValueTask<IAdsCall<DeltaDiscoveryRequest, DeltaDiscoveryResponse>> OpenDeltaStreamAsync(CancellationToken cancellationToken) =>
        Open<DeltaDiscoveryRequest, DeltaDiscoveryResponse>(server.ServeDeltaAsync, cancellationToken);

    public ValueTask<IAdsCall<LoadStatsRequest, LoadStatsResponse>> OpenLoadStreamAsync(CancellationToken cancellationToken)
        => loads is null
            ? throw new RpcException(StatusCode.Unimplemented, $"'{Target}' takes no load reports")
            : Open<LoadStatsRequest, LoadStatsResponse>((call, caller, token) => loads.ServeAsync(call, new AdsConnectionInfo(0, null, IsInProcess: true) { Caller = caller }, token), cancellationToken);

    public void Dispose() => _disposed.Cancel();

    public async ValueTask DisposeAsync()
    {
        await _disposed.CancelAsync().ConfigureAwait(false);
    }

    private ValueTask<IAdsCall<TRequest, TResponse>> Open<TRequest, TResponse>(
        Func<IAdsCall<TResponse, TRequest>, CallerCredentials, CancellationToken, Task> serve, CancellationToken cancellationToken)
        where TRequest : class
        where TResponse : class
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_disposed.IsCancellationRequested)
        {
            throw new RpcException(StatusCode.Unavailable, $"the transport to '{Target}' has been disposed");
        }

        var requests = NewChannel<TRequest>();
        var responses = NewChannel<TResponse>();
        var ending = CancellationTokenSource.CreateLinkedTokenSource(_disposed.Token);
        var serverEnd = new InProcessAdsCall<TResponse, TRequest>(responses.Writer, requests.Reader, End);
        _ = ServeAsync();

        IAdsCall<TRequest, TResponse> clientEnd = new InProcessAdsCall<TRequest, TResponse>(requests.Writer, responses.Reader, End);
        return ValueTask.FromResult(clientEnd);

        void End()
        {
            try
            {
                ending.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // The server has ended the stream already.
            }
        }

        async Task ServeAsync()
        {
            RpcException? status = null;
            try
            {
                await serve(serverEnd, CallerCredentials.None, ending.Token).ConfigureAwait(false);
            }
            catch (RpcException exception)
            {
                status = exception;
            }
            catch (OperationCanceledException)
            {
                status = new RpcException(StatusCode.Unavailable, "the server is stopping");
            }
            catch (Exception exception)
            {
                status = new RpcException(StatusCode.Unknown, exception.Message, exception);
            }
            finally
            {
                responses.Writer.TryComplete(status);
                requests.Writer.TryComplete(status);
                ending.Dispose();
            }
        }
    }

    private static Channel<T> NewChannel<T>() =>
        Channel.CreateBounded<T>(new BoundedChannelOptions(Window) { SingleReader = true, SingleWriter = true });
}
