using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace Mesh.Xds.Tests.Grpc;

/// <summary>The server's end of one HTTP/2 connection, frame by frame (RFC 9113).</summary>
internal sealed class RawHttp2Connection : IDisposable
{
    public const byte Data = 0;
    public const byte Headers = 1;
    public const byte RstStream = 3;
    public const byte Settings = 4;
    public const byte Ping = 6;
    public const byte GoAway = 7;
    public const byte Acknowledged = 1;
    public const byte EndStream = 1;
    public const byte EndHeaders = 4;
    private readonly TcpClient _client;
    private readonly NetworkStream _stream;

    private RawHttp2Connection(TcpClient client)
    {
        _client = client;
        _client.NoDelay = true;
        _stream = client.GetStream();
    }

    public static async Task<RawHttp2Connection> StartAsync(TcpClient client)
    {
        var connection = new RawHttp2Connection(client);
        await connection._stream.ReadExactlyAsync(new byte[24]);
        await connection.WriteAsync(Settings, 0, 0, []);
        return connection;
    }

    /// <summary>Reads frames, answering SETTINGS and PING, until one of that type arrives.</summary>
    public async Task<(int StreamId, byte Flags, byte[] Payload)> ReadAsync(byte type)
    {
        while (true)
        {
            var header = new byte[9];
            await _stream.ReadExactlyAsync(header).AsTask().WaitAsync(TimeSpan.FromSeconds(30));
            var payload = new byte[(header[0] << 16) | (header[1] << 8) | header[2]];
            await _stream.ReadExactlyAsync(payload).AsTask().WaitAsync(TimeSpan.FromSeconds(30));
            if (header[3] == Settings && (header[4] & 1) == 0)
            {
                await WriteAsync(Settings, 1, 0, []);
            }
            else if (header[3] == Ping && (header[4] & 1) == 0)
            {
                await WriteAsync(Ping, 1, 0, payload);
            }

            if (header[3] == type)
            {
                return (BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(5)), header[4], payload);
            }
        }
    }

    public async Task WriteAsync(byte type, byte flags, int streamId, byte[] payload)
    {
        var frame = new byte[9 + payload.Length];
        frame[0] = (byte)(payload.Length >> 16);
        frame[1] = (byte)(payload.Length >> 8);
        frame[2] = (byte)payload.Length;
        frame[3] = type;
        frame[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), streamId);
        payload.CopyTo(frame, 9);
        await _stream.WriteAsync(frame);
    }

    public Task WriteHeadersAsync(int streamId, bool endStream, params (string Name, string Value)[] fields)
    {
        // Literal header fields without indexing (RFC 7541, 6.2.2), every string short enough for a one-byte length.
        var block = new MemoryStream();
        foreach (var (name, value) in fields)
        {
            block.WriteByte(0);
            foreach (var text in new[] { name, value })
            {
                block.WriteByte((byte)text.Length);
                block.Write(Encoding.ASCII.GetBytes(text));
            }
        }

        return WriteAsync(Headers, (byte)(EndHeaders | (endStream ? EndStream : 0)), streamId, block.ToArray());
    }

    public Task WriteResponseHeadersAsync(int streamId, params (string Name, string Value)[] more)
        => WriteHeadersAsync(streamId, false, [(":status", "200"), ("content-type", "application/grpc"), .. more]);

    public Task WriteGoAwayAsync(int lastStreamId, uint errorCode, string debugData)
    {
        var payload = new byte[8 + debugData.Length];
        BinaryPrimitives.WriteInt32BigEndian(payload, lastStreamId);
        BinaryPrimitives.WriteUInt32BigEndian(payload.AsSpan(4), errorCode);
        Encoding.ASCII.GetBytes(debugData).CopyTo(payload, 8);
        return WriteAsync(GoAway, 0, 0, payload);
    }

    public Task WriteResetAsync(int streamId, uint errorCode)
    {
        var payload = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(payload, errorCode);
        return WriteAsync(RstStream, 0, streamId, payload);
    }

    /// <summary>Ends the connection with RST instead of FIN.</summary>
    public void Reset()
    {
        // The socket itself: its stream would say goodbye first.
        _client.Client.LingerState = new LingerOption(true, 0);
        _client.Client.Dispose();
    }

    public void Dispose() => _client.Dispose();
}
