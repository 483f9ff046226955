using Mesh.Filters;

namespace Mesh.DataPlane.Filters.Buffer;

/// <summary>Sends a request only when its body is there as a whole, and refuses one that is too large: 413.</summary>
internal sealed class BufferFilter(uint maxRequestBytes) : HttpFilter
{
    private static readonly FilterReply TooLarge = FilterReplies.PayloadTooLarge.ToFilterReply();

    public override async ValueTask OnRequestAsync(HttpExchange exchange, CancellationToken cancellationToken)
    {
        if (!await exchange.Adapter.LoadAsync(HeaderSide.Request, Math.Min(maxRequestBytes, int.MaxValue), cancellationToken).ConfigureAwait(false))
        {
            exchange.Reply(TooLarge);
        }
    }
}
