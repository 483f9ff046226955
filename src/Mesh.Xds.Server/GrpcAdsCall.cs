using Google.Protobuf;
using Mesh.Xds.Ads;
using Mesh.Xds.Server.Grpc;

namespace Mesh.Xds.Server;

/// <summary>An ADS stream that came in over gRPC.</summary>
internal sealed class GrpcAdsCall<TOut, TIn>(GrpcServerCall<TIn, TOut> call) : IAdsCall<TOut, TIn>
    where TOut : class, IMessage<TOut>
    where TIn : class, IMessage<TIn>
{
    public ValueTask WriteAsync(TOut message, CancellationToken cancellationToken) => call.WriteAsync(message, cancellationToken);

    public ValueTask<TIn?> ReadAsync(CancellationToken cancellationToken) => call.ReadAsync(cancellationToken);

    public ValueTask DisposeAsync()
    {
        call.HttpContext.Abort();
        return ValueTask.CompletedTask;
    }
}
