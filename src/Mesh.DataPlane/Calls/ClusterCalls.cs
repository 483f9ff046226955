using System.Net;
using Google.Protobuf;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.Upstream;
using Mesh.Xds.Grpc;

namespace Mesh.DataPlane.Calls;

/// <summary>Calls clusters through the engine's own router.</summary>
internal sealed class ClusterCalls(ClusterRegistry clusters, Router router, IRandomSource random, TimeProvider time, TimeSpan fetchTimeout, Lock sync) : IClusterCalls
{
    private static readonly HostState NoHost = new(HostStatus.Meshed, null, null, "", null);

    public Lock Sync => sync;

    public ClusterHold Hold(IReadOnlyCollection<string> names, Action answered) => new(clusters, names, time, fetchTimeout, sync, answered);

    public async Task<HttpResponseMessage> SendAsync(ClusterTarget target, HttpRequestMessage request, int maxBytes, CancellationToken cancellationToken)
    {
        var response = await AnswerAsync(target, request, cancellationToken).ConfigureAwait(false);
        if (RequestOutcome.ReplyTo(request) is { } reply)
        {
            response.Dispose();
            throw new ClusterCallException(target.Cluster, reply.Details);
        }

        try
        {
            await response.Content.LoadIntoBufferAsync(maxBytes, cancellationToken).ConfigureAwait(false);
            return response;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            response.Dispose();
            cancellationToken.ThrowIfCancellationRequested();
            throw new ClusterCallException(target.Cluster, e is HttpRequestException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded }
                ? $"its response is longer than {maxBytes} bytes"
                : "its response broke off", e);
        }
    }

    public async Task<TResponse> UnaryAsync<TRequest, TResponse>(
        ClusterTarget target, GrpcMethod<TRequest, TResponse> method, TRequest request, GrpcMetadata? metadata, CancellationToken cancellationToken)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>
    {
        using var message = GrpcUnary.CreateRequest(new Uri("http://cluster" + method.FullName), request, target.Timeout, metadata);
        message.Headers.Host = target.Authority.Length > 0 ? target.Authority : ClusterAuthority.Of(target.Cluster);
        using var response = await AnswerAsync(target, message, cancellationToken).ConfigureAwait(false);
        if (RequestOutcome.ReplyTo(message) is { } reply)
        {
            throw new RpcException((StatusCode)LocalReplies.GrpcStatus(reply), $"the cluster '{target.Cluster}' could not be asked: {reply.Details}");
        }

        try
        {
            return await GrpcUnary.ReadAsync(response, method, target.MaxMessageBytes, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or IOException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw GrpcFailures.FromTransport(e);
        }
    }

    public async Task<GrpcDuplexCall<TRequest, TResponse>> OpenDuplexAsync<TRequest, TResponse>(
        ClusterTarget target, GrpcMethod<TRequest, TResponse> method, GrpcMetadata? metadata, CancellationToken cancellationToken)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>
    {
        var content = new GrpcRequestContent();
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri("http://cluster" + method.FullName))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        request.Headers.Host = target.Authority.Length > 0 ? target.Authority : ClusterAuthority.Of(target.Cluster);
        request.Headers.TryAddWithoutValidation("te", "trailers");
        request.Headers.TryAddWithoutValidation(GrpcHeaderNames.AcceptEncoding, GrpcHeaderNames.SupportedEncodings);
        foreach (var (name, value) in metadata ?? [])
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        var call = new GrpcDuplexCall<TRequest, TResponse>(
            new HttpMessageInvoker(new ClusterHandler(this, target.WithoutTimeout)), request, content, method, GrpcCallOptions.Default, new GrpcChannelOptions { TimeProvider = time });
        try
        {
            await call.OpenAsync(cancellationToken).ConfigureAwait(false);
            return call;
        }
        catch
        {
            await call.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    // The way of a call that is open.
    private sealed class ClusterHandler(ClusterCalls calls, ClusterTarget target) : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = await calls.AnswerAsync(target, request, cancellationToken).ConfigureAwait(false);
            if (RequestOutcome.ReplyTo(request) is not { } reply)
            {
                return response;
            }

            response.Dispose();
            throw new HttpRequestException($"The cluster '{target.Cluster}' could not be asked: {reply.Details}.");
        }
    }
    private async Task<HttpResponseMessage> AnswerAsync(ClusterTarget target, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (clusters.Find(target.Cluster) is { } subscribed && clusters.IsAnswered(subscribed))
        {
            var response = await ForwardAsync(target, subscribed, request, cancellationToken).ConfigureAwait(false);
            if (RequestOutcome.ReplyTo(request) is null || clusters.Find(target.Cluster) == subscribed)
            {
                return response;
            }

            // Given up meanwhile by the listener that named it, and perhaps taken up by another: the request is one of the last of the old filters.
            response.Dispose();
        }

        Cluster cluster;
        lock (sync)
        {
            cluster = clusters.Acquire(target.Cluster);
        }

        try
        {
            if (!clusters.IsAnswered(cluster))
            {
                await WaitForAsync(cluster, target, cancellationToken).ConfigureAwait(false);
            }

            return await ForwardAsync(target, cluster, request, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            lock (sync)
            {
                clusters.Release(cluster);
            }
        }
    }

    private async Task WaitForAsync(Cluster cluster, ClusterTarget target, CancellationToken cancellationToken)
    {
        try
        {
            await cluster.Answered.WaitAsync(target.Timeout > TimeSpan.Zero && target.Timeout < fetchTimeout ? target.Timeout : fetchTimeout, time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // It is as if it did not exist.
        }
    }

    private ValueTask<HttpResponseMessage> ForwardAsync(ClusterTarget target, Cluster cluster, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        RequestOutcome.Forget(request);
        if (RequestScheme.IsSecure(request.RequestUri!) && cluster.Current.Policy?.Transport.Tls is not null)
        {
            // TLS is the cluster's then, and one is enough.
            request.Headers.Host ??= request.RequestUri!.Authority;
            request.RequestUri = new UriBuilder(request.RequestUri!) { Scheme = Uri.UriSchemeHttp, Port = request.RequestUri!.Port }.Uri;
        }

        return router.ForwardAsync(target.Host, new Decision { Host = NoHost, Route = target.Route, Cluster = cluster }, request, random.NextUInt64(), cancellationToken);
    }
}
