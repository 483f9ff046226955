using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace LoadGenerator.Connections;

/// <summary>HTTP/1.1 by hand over one connection that is kept alive, so that sockets and bytes are what they are.</summary>
public sealed class SocketConnection(LoadOptions options, TimeProvider time) : ILoadConnection
{
    private readonly byte[] _request = Request(options);
    private readonly byte[] _buffer = new byte[64 * 1024];
    private Stream? _stream;
    private int _start;
    private int _end;

    public LoadHistogram ConnectTimes { get; } = new(options.Resolution);

    public async Task<LoadAnswer> CallAsync(CancellationToken cancellationToken)
    {
        try
        {
            _stream ??= await ConnectAsync(cancellationToken);
            await _stream.WriteAsync(_request, cancellationToken);
            return await ReadAsync(cancellationToken);
        }
        catch (Exception e)
        {
            Close();
            if (e is SocketException or FormatException or System.Security.Authentication.AuthenticationException)
            {
                throw new IOException(e.Message, e);
            }

            throw;
        }
    }

    public void Dispose() => Close();

    private static byte[] Request(LoadOptions options)
    {
        var url = options.Url;
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"GET {url.PathAndQuery} HTTP/1.1\r\n");
        if (!options.Headers.Any(header => header.Name.Equals("Host", StringComparison.OrdinalIgnoreCase)))
        {
            text.Append(CultureInfo.InvariantCulture, $"Host: {url.Authority}\r\n");
        }

        if (!options.Headers.Any(header => header.Name.Equals("User-Agent", StringComparison.OrdinalIgnoreCase)))
        {
            text.Append("User-Agent: load\r\n");
        }

        foreach (var (name, value) in options.Headers)
        {
            text.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        }

        return Encoding.UTF8.GetBytes(text.Append(options.KeepAlive ? "" : "Connection: close\r\n").Append("\r\n").ToString());
    }

    private async Task<Stream> ConnectAsync(CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(options.Url.IdnHost, options.Url.Port, cancellationToken);
            Stream stream = new NetworkStream(socket, ownsSocket: true);
            if (options.Url.Scheme == "https")
            {
                var tls = new SslStream(stream);
                await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = options.Url.IdnHost }, cancellationToken);
                stream = tls;
            }

            ConnectTimes.Record(time.GetElapsedTime(began).TotalSeconds);
            (_start, _end) = (0, 0);
            return stream;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task<LoadAnswer> ReadAsync(CancellationToken cancellationToken)
    {
        // 1. Status and headers.
        var headerBytes = 0;
        var statusLine = await LineAsync(cancellationToken);
        headerBytes += statusLine.Length + 2;
        var status = int.Parse(statusLine.AsSpan(9, 3), NumberStyles.None, CultureInfo.InvariantCulture);
        var close = !options.KeepAlive || statusLine.StartsWith("HTTP/1.0", StringComparison.Ordinal);
        var (chunked, length) = (false, -1L);
        while (await LineAsync(cancellationToken) is var line)
        {
            headerBytes += line.Length + 2;
            if (line.Length == 0)
            {
                break;
            }

            var colon = line.IndexOf(':', StringComparison.Ordinal);
            var value = line[(colon + 1)..].Trim();
            switch (line[..Math.Max(0, colon)].ToLowerInvariant())
            {
                case "content-length":
                    length = long.Parse(value, NumberStyles.None, CultureInfo.InvariantCulture);
                    break;
                case "transfer-encoding":
                    chunked = value.EndsWith("chunked", StringComparison.OrdinalIgnoreCase);
                    break;
                case "connection":
                    close |= value.Equals("close", StringComparison.OrdinalIgnoreCase);
                    break;
            }
        }

        // 2. The body.
        var body = 0L;
        if (status is 204 or 304)
        {
        }
        else if (chunked)
        {
            body = await SkipChunksAsync(cancellationToken);
        }
        else if (length >= 0)
        {
            body = await SkipAsync(length, cancellationToken);
        }
        else
        {
            close = true;
            while (await FillAsync(cancellationToken))
            {
                body += _end - _start;
                _start = _end;
            }
        }

        if (close)
        {
            Close();
        }

        return new LoadAnswer(status, statusLine[..12], headerBytes, checked((int)(headerBytes + body)));
    }

    private async Task<long> SkipChunksAsync(CancellationToken cancellationToken)
    {
        var total = 0L;
        while (true)
        {
            var line = await LineAsync(cancellationToken);
            total += line.Length + 2;
            var size = long.Parse(line.Split(';')[0], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            if (size == 0)
            {
                // Trailers, up to the empty line.
                do
                {
                    line = await LineAsync(cancellationToken);
                    total += line.Length + 2;
                }
                while (line.Length > 0);

                return total;
            }

            total += await SkipAsync(size + 2, cancellationToken);
        }
    }

    private async Task<long> SkipAsync(long bytes, CancellationToken cancellationToken)
    {
        for (var left = bytes; left > 0;)
        {
            if (_start == _end && !await FillAsync(cancellationToken))
            {
                throw new IOException("The connection ended within a body.");
            }

            var step = (int)Math.Min(left, _end - _start);
            _start += step;
            left -= step;
        }

        return bytes;
    }

    private async Task<string> LineAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var at = _buffer.AsSpan(_start, _end - _start).IndexOf("\r\n"u8);
            if (at >= 0)
            {
                var line = Encoding.Latin1.GetString(_buffer, _start, at);
                _start += at + 2;
                return line;
            }

            if (!await FillAsync(cancellationToken))
            {
                throw new IOException("The connection ended before an answer.");
            }
        }
    }

    private async Task<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        if (_end == _buffer.Length)
        {
            throw new IOException("A line of the answer is too long.");
        }

        var read = await _stream!.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
        _end += read;
        return read > 0;
    }

    private void Close()
    {
        _stream?.Dispose();
        _stream = null;
    }
}
