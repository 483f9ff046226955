using Google.Protobuf;
using Mesh.Xds.Grpc;

namespace Mesh.Xds.Ads;

/// <summary>An ADS stream that is a gRPC call.</summary>
internal sealed class GrpcAdsCall<TOut, TIn>(GrpcDuplexCall<TOut, TIn> call) : IAdsCall<TOut, TIn>
    where TOut : class, IMessage<TOut>
    where TIn : class, IMessage<TIn>
{
    public ValueTask WriteAsync(TOut message, CancellationToken cancellationToken) => call.WriteAsync(message, cancellationToken);

    public ValueTask<TIn?> ReadAsync(CancellationToken cancellationToken) => call.ReadAsync(cancellationToken);

    public ValueTask DisposeAsync() => call.DisposeAsync();
}
