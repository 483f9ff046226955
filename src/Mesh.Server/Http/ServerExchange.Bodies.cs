using System.Buffers;
using System.IO.Pipelines;
using Mesh.Filters;
using Mesh.Server.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Mesh.Server.Http;

/// <content>The bodies: what filters have read the application, or its caller, gets nevertheless.</content>
internal sealed partial class ServerExchange
{
    public override async ValueTask<ReadOnlyMemory<byte>?> BufferAsync(HeaderSide side, int maxBytes, CancellationToken cancellationToken)
    {
        if (side == HeaderSide.Response)
        {
            if (Reply is not null)
            {
                return _replyBody;
            }

            // What was a request is a connection now, and its body has no end that could be waited for.
            var isTunnel = Context.Response.StatusCode == StatusCodes.Status101SwitchingProtocols || Context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true };
            return _body is null || isTunnel ? null : await _body.BufferAsync(maxBytes).ConfigureAwait(false);
        }

        return await LoadAsync(side, maxBytes, cancellationToken).ConfigureAwait(false) ? _requestBody : (ReadOnlyMemory<byte>?)null;
    }

    public override async ValueTask<bool> LoadAsync(HeaderSide side, long maxBytes, CancellationToken cancellationToken)
    {
        if (side == HeaderSide.Response)
        {
            return await BufferAsync(side, (int)Math.Min(maxBytes, int.MaxValue), cancellationToken).ConfigureAwait(false) is not null;
        }

        if (_requestBody is not null)
        {
            return _requestBody.Length <= maxBytes;
        }

        var request = Context.Request;
        if (request.ContentLength > maxBytes)
        {
            return false;
        }

        if (request.ContentLength is 0 || (request.ContentLength is null && !CanHaveBody(Context)))
        {
            _requestBody = [];
            return true;
        }

        try
        {
            if (await ReadAsync(maxBytes, cancellationToken).ConfigureAwait(false) is not { } body)
            {
                return false;
            }

            _requestBody = body;
            request.Body = new MemoryStream(body, writable: false);
            return true;
        }
        catch (Exception e)
        {
            BodyFailure = e;
            throw;
        }
    }

    public override async ValueTask<(ReadOnlyMemory<byte> Bytes, bool IsWhole)> PeekRequestAsync(int maxBytes, CancellationToken cancellationToken)
    {
        if (_requestBody is null && (Context.Request.ContentLength > maxBytes || (Context.Request.ContentLength is null && CanHaveBody(Context))))
        {
            try
            {
                return await PeekAsync(maxBytes, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                BodyFailure = e;
                throw;
            }
        }

        return await base.PeekRequestAsync(maxBytes, cancellationToken).ConfigureAwait(false);
    }

    public override void TransformResponseBody(Func<Stream, Stream> transform, Action ended)
    {
        if (_body is { } body && Reply is null)
        {
            body.Transform(transform, ended);
        }
        else
        {
            ended();
        }
    }

    private static bool CanHaveBody(HttpContext context)
        => context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody != false;

    // The server's own: another one would keep what it has read ahead for itself.
    private PipeReader Reader()
    {
        if (Context.Request.Body is not CountedRequestBody counted)
        {
            return Context.Request.BodyReader;
        }

        Context.Request.Body = counted.Inner;
        var reader = Context.Request.BodyReader;
        Context.Request.Body = counted;
        return reader;
    }

    // What was looked at is not consumed: whoever reads next begins with it.
    private async ValueTask<(ReadOnlyMemory<byte> Bytes, bool IsWhole)> PeekAsync(int maxBytes, CancellationToken cancellationToken)
    {
        var reader = Reader();
        while (true)
        {
            var read = await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (read.Buffer.Length > maxBytes)
            {
                var beginning = read.Buffer.Slice(0, maxBytes).ToArray();
                reader.AdvanceTo(read.Buffer.Start);
                return (beginning, false);
            }

            if (read.IsCompleted)
            {
                var body = read.Buffer.ToArray();
                reader.AdvanceTo(read.Buffer.Start);
                return (body, true);
            }

            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private async ValueTask<byte[]?> ReadAsync(long maxBytes, CancellationToken cancellationToken)
    {
        var reader = Reader();
        while (true)
        {
            var read = await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (read.Buffer.Length > maxBytes)
            {
                reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                return null;
            }

            if (read.IsCompleted)
            {
                var body = read.Buffer.ToArray();
                reader.AdvanceTo(read.Buffer.End);
                (Context.Request.Body as CountedRequestBody)?.Count(body);
                return body;
            }

            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }
}
