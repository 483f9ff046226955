namespace Mesh.Server.Connections;

/// <summary>How a connection begins on which HTTP/2 is spoken (RFC 9113, section 3.4).</summary>
internal static class Http2Preface
{
    public static ReadOnlySpan<byte> Bytes => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    /// <summary>Whether a connection begins so; <see langword="null"/> while it may become one.</summary>
    public static bool? Check(ReadOnlySpan<byte> first)
    {
        var length = Math.Min(first.Length, Bytes.Length);
        return !first[..length].SequenceEqual(Bytes[..length]) ? false : length == Bytes.Length ? true : null;
    }
}
