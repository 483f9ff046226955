using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Mesh.Client.DefaultProxy;

/// <summary>Writes responses onto a connection as HTTP/1.1.</summary>
internal sealed class ResponseWriter(Stream stream)
{
    private const int BufferSize = 16 * 1024;

    private readonly Lock _sync = new();
    private Task? _continue;

    /// <summary>Whether a response has begun: nothing else can be said any more.</summary>
    public bool HasBegun { get; private set; }

    /// <summary>Tells the caller to go on with its body, unless the response is there already.</summary>
    public ValueTask WriteContinueAsync(CancellationToken cancellationToken)
    {
        lock (_sync)
        {
            if (HasBegun || _continue is not null)
            {
                return ValueTask.CompletedTask;
            }

            _continue = stream.WriteAsync("HTTP/1.1 100 Continue\r\n\r\n"u8.ToArray(), cancellationToken).AsTask();
            return new ValueTask(_continue);
        }
    }

    /// <summary>Writes a reply of this end's own.</summary>
    public async ValueTask WriteAsync(HttpStatusCode status, string reason, bool close, CancellationToken cancellationToken, params (string Name, string Value)[] fields)
    {
        await BeginAsync().ConfigureAwait(false);
        var body = Encoding.UTF8.GetBytes(reason);
        var head = new StringBuilder();
        AppendStatusLine(head, status, null);
        foreach (var (name, value) in fields)
        {
            AppendField(head, name, value);
        }

        AppendField(head, "Content-Type", "text/plain");
        AppendField(head, "Content-Length", body.Length.ToString(CultureInfo.InvariantCulture));
        if (close)
        {
            AppendField(head, "Connection", "close");
        }

        head.Append("\r\n");
        await stream.WriteAsync((byte[])[.. Encoding.Latin1.GetBytes(head.ToString()), .. body], cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The answer to CONNECT.</summary>
    public async ValueTask WriteConnectedAsync(CancellationToken cancellationToken)
    {
        await BeginAsync().ConfigureAwait(false);
        await stream.WriteAsync("HTTP/1.1 200 Connection established\r\n\r\n"u8.ToArray(), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The head by which the connection becomes something else's.</summary>
    public async ValueTask WriteSwitchAsync(HttpResponseMessage response, string protocol, (string Name, string Value)[] fields, CancellationToken cancellationToken)
    {
        await BeginAsync().ConfigureAwait(false);
        var head = new StringBuilder();
        AppendStatusLine(head, HttpStatusCode.SwitchingProtocols, null);
        AppendField(head, "Connection", "Upgrade");
        AppendField(head, "Upgrade", protocol);
        AppendFields(head, response.Headers);
        foreach (var (name, value) in fields)
        {
            AppendField(head, name, value);
        }

        head.Append("\r\n");
        await stream.WriteAsync(Encoding.Latin1.GetBytes(head.ToString()), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes a response and its body as it comes.</summary>
    /// <param name="response">The response.</param>
    /// <param name="head">The request that it answers.</param>
    /// <param name="close">The connection ends with it.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Whether the connection ends with it.</returns>
    public async ValueTask<bool> WriteAsync(HttpResponseMessage response, RequestHead head, bool close, CancellationToken cancellationToken)
    {
        var hasBody = head.Method != "HEAD" && response.StatusCode is not (HttpStatusCode.NoContent or HttpStatusCode.NotModified);
        var length = response.Content.Headers.ContentLength;
        var isChunked = hasBody && length is null && head.IsHttp11;
        close |= hasBody && length is null && !isChunked;

        await BeginAsync().ConfigureAwait(false);
        var text = new StringBuilder();
        AppendStatusLine(text, response.StatusCode, response.ReasonPhrase);
        AppendFields(text, response.Headers);
        AppendFields(text, response.Content.Headers, withoutLength: true);
        if (length is not null && response.StatusCode != HttpStatusCode.NoContent)
        {
            AppendField(text, "Content-Length", length.Value.ToString(CultureInfo.InvariantCulture));
        }

        if (isChunked)
        {
            AppendField(text, "Transfer-Encoding", "chunked");
        }

        if (close)
        {
            AppendField(text, "Connection", "close");
        }
        else if (!head.IsHttp11)
        {
            AppendField(text, "Connection", "keep-alive");
        }

        text.Append("\r\n");
        await stream.WriteAsync(Encoding.Latin1.GetBytes(text.ToString()), cancellationToken).ConfigureAwait(false);
        if (hasBody)
        {
            await WriteBodyAsync(response, isChunked, length, cancellationToken).ConfigureAwait(false);
        }

        return close;
    }

    private async ValueTask BeginAsync()
    {
        lock (_sync)
        {
            HasBegun = true;
        }

        if (_continue is not null)
        {
            await _continue.ConfigureAwait(false);
        }
    }

    private async ValueTask WriteBodyAsync(HttpResponseMessage response, bool isChunked, long? length, CancellationToken cancellationToken)
    {
        // A size line before and a line end behind each piece go out with it.
        const int Room = 16;
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            var written = 0L;
            int read;
            while ((read = await body.ReadAsync(buffer.AsMemory(Room, BufferSize - Room - 2), cancellationToken).ConfigureAwait(false)) > 0)
            {
                written += read;
                if (!isChunked)
                {
                    await stream.WriteAsync(buffer.AsMemory(Room, read), cancellationToken).ConfigureAwait(false);
                    continue;
                }

                var start = Room - WriteSize(buffer.AsSpan(0, Room), read);
                "\r\n"u8.CopyTo(buffer.AsSpan(Room + read));
                await stream.WriteAsync(buffer.AsMemory(start, Room + read + 2 - start), cancellationToken).ConfigureAwait(false);
            }

            if (isChunked)
            {
                await stream.WriteAsync(LastChunk(response.TrailingHeaders), cancellationToken).ConfigureAwait(false);
            }
            else if (length is not null && written != length)
            {
                throw new IOException("The body is not as long as its head said.");
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static int WriteSize(Span<byte> room, int size)
    {
        var text = size.ToString("X", CultureInfo.InvariantCulture);
        Encoding.ASCII.GetBytes(text + "\r\n", room[(room.Length - text.Length - 2)..]);
        return text.Length + 2;
    }

    private static byte[] LastChunk(HttpResponseHeaders trailers)
    {
        var text = new StringBuilder("0\r\n");
        AppendFields(text, trailers);
        return Encoding.Latin1.GetBytes(text.Append("\r\n").ToString());
    }

    private static void AppendStatusLine(StringBuilder head, HttpStatusCode status, string? reason)
    {
        head.Append("HTTP/1.1 ").Append(((int)status).ToString("000", CultureInfo.InvariantCulture)).Append(' ');
        AppendText(head, reason ?? new HttpResponseMessage(status).ReasonPhrase ?? "").Append("\r\n");
    }

    private static void AppendFields(StringBuilder head, HttpHeaders fields, bool withoutLength = false)
    {
        foreach (var (name, values) in fields.NonValidated)
        {
            if (HopByHop.Contains(name) || (withoutLength && name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase)))
            {
                continue;
            }

            foreach (var value in values)
            {
                AppendField(head, name, value);
            }
        }
    }

    private static void AppendField(StringBuilder head, string name, string value) => AppendText(head.Append(name).Append(": "), value).Append("\r\n");

    // What would end a line does not get onto one, whoever wrote it.
    private static StringBuilder AppendText(StringBuilder head, string text)
    {
        foreach (var c in text)
        {
            head.Append(c is '\r' or '\n' or '\0' ? ' ' : c);
        }

        return head;
    }
}
