using System.Buffers.Binary;

namespace Mesh.DataPlane.Telemetry;

/// <summary>
/// Counts the messages of a gRPC body as its bytes go by, however they are cut: each begins with a flag and its length in four bytes. As in Envoy, a message
/// counts from its first byte on. Mutable: a field that is not read-only.
/// </summary>
internal struct GrpcMessageCount
{
    private const int PrefixLength = 5;

    // What is there of a prefix that has been cut, its flag left out.
    private uint _length;
    private int _seen;
    private uint _left;

    /// <summary>How many there have been.</summary>
    public long Messages { get; private set; }

    /// <summary>These bytes have gone by.</summary>
    public void Pass(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_left > 0)
            {
                var skipped = (int)Math.Min(_left, (uint)bytes.Length);
                _left -= (uint)skipped;
                bytes = bytes[skipped..];
            }
            else if (_seen == 0 && bytes.Length >= PrefixLength)
            {
                Messages++;
                _left = BinaryPrimitives.ReadUInt32BigEndian(bytes[1..]);
                bytes = bytes[PrefixLength..];
            }
            else
            {
                if (_seen == 0)
                {
                    Messages++;
                }
                else
                {
                    _length = (_length << 8) | bytes[0];
                }

                bytes = bytes[1..];
                if (++_seen == PrefixLength)
                {
                    (_left, _length, _seen) = (_length, 0, 0);
                }
            }
        }
    }
}
