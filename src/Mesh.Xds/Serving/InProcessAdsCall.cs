using System.Threading.Channels;
using Mesh.Xds.Ads;
using Mesh.Xds.Grpc;

namespace Mesh.Xds.Serving;

/// <summary>One end of a stream that never leaves the process.</summary>
internal sealed class InProcessAdsCall<TOut, TIn>(ChannelWriter<TOut> writer, ChannelReader<TIn> reader, Action dispose) : IAdsCall<TOut, TIn>
    where TIn : class
{
    public async ValueTask WriteAsync(TOut message, CancellationToken cancellationToken)
    {
        try
        {
            await writer.WriteAsync(message, cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException exception)
        {
            throw exception.InnerException as RpcException ?? new RpcException(StatusCode.Unavailable, "the stream has ended", exception);
        }
    }

    public async ValueTask<TIn?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException exception) when (exception.InnerException is RpcException status)
        {
            throw new RpcException(status.StatusCode, status.Detail, status);
        }
        catch (ChannelClosedException)
        {
            return null;
        }
    }

    public ValueTask DisposeAsync()
    {
        dispose();
        return ValueTask.CompletedTask;
    }
}
