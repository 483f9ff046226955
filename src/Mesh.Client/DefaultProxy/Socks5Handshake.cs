using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Mesh.Client.DefaultProxy;

/// <summary>
/// The server's side of SOCKS 5 (RFC 1928) with name and password (RFC 1929). .NET's clients prove themselves by it before they send anything, where an
/// HTTP proxy would have to refuse the first request of a connection, and a body that can be read only once would be gone.
/// </summary>
internal static class Socks5Handshake
{
    public const byte Version = 5;

    private const byte PasswordMethod = 2;
    private const byte NoMethod = 0xff;
    private const byte PasswordVersion = 1;
    private const byte Connect = 1;
    private const byte IPv4 = 1;
    private const byte DomainName = 3;
    private const byte IPv6 = 4;
    private const byte CommandNotSupported = 7;
    private const byte AddressNotSupported = 8;

    /// <returns>Whom the caller wants; <see langword="null"/> when it has been told no.</returns>
    public static async ValueTask<ProxyTarget?> AcceptAsync(ConnectionReader reader, Stream stream, ProxyToken token, CancellationToken cancellationToken)
    {
        // 1. How the caller can prove itself.
        var greeting = await TakeAsync(reader, 2, cancellationToken).ConfigureAwait(false);
        var methods = await TakeAsync(reader, greeting[1], cancellationToken).ConfigureAwait(false);
        if (!methods.Contains(PasswordMethod))
        {
            await stream.WriteAsync(new[] { Version, NoMethod }, cancellationToken).ConfigureAwait(false);
            return null;
        }

        await stream.WriteAsync(new[] { Version, PasswordMethod }, cancellationToken).ConfigureAwait(false);

        // 2. It does.
        var user = await TakeAsync(reader, 2, cancellationToken).ConfigureAwait(false);
        var isPassword = user[0] == PasswordVersion;
        user = await TakeAsync(reader, user[1], cancellationToken).ConfigureAwait(false);
        var length = await TakeAsync(reader, 1, cancellationToken).ConfigureAwait(false);
        var password = await TakeAsync(reader, length[0], cancellationToken).ConfigureAwait(false);
        if (!isPassword || !token.IsShownBy(user, password))
        {
            await stream.WriteAsync(new byte[] { PasswordVersion, 1 }, cancellationToken).ConfigureAwait(false);
            return null;
        }

        await stream.WriteAsync(new byte[] { PasswordVersion, 0 }, cancellationToken).ConfigureAwait(false);

        // 3. Whom it wants. What becomes of that is said in the language of what follows.
        var request = await TakeAsync(reader, 4, cancellationToken).ConfigureAwait(false);
        if (request[0] != Version || request[1] != Connect)
        {
            await ReplyAsync(stream, CommandNotSupported, cancellationToken).ConfigureAwait(false);
            return null;
        }

        var target = await TakeTargetAsync(reader, request[3], cancellationToken).ConfigureAwait(false);
        await ReplyAsync(stream, target is null ? AddressNotSupported : (byte)0, cancellationToken).ConfigureAwait(false);
        return target;
    }

    private static async ValueTask<ProxyTarget?> TakeTargetAsync(ConnectionReader reader, byte type, CancellationToken cancellationToken)
    {
        string host;
        switch (type)
        {
            case IPv4:
                host = new IPAddress(await TakeAsync(reader, 4, cancellationToken).ConfigureAwait(false)).ToString();
                break;
            case IPv6:
                host = new IPAddress(await TakeAsync(reader, 16, cancellationToken).ConfigureAwait(false)).ToString();
                break;
            case DomainName:
                var length = await TakeAsync(reader, 1, cancellationToken).ConfigureAwait(false);
                host = Encoding.ASCII.GetString(await TakeAsync(reader, length[0], cancellationToken).ConfigureAwait(false));
                if (Uri.CheckHostName(host) == UriHostNameType.Unknown)
                {
                    return null;
                }

                break;
            default:
                return null;
        }

        var port = BinaryPrimitives.ReadUInt16BigEndian(await TakeAsync(reader, 2, cancellationToken).ConfigureAwait(false));
        return port == 0 ? null : new ProxyTarget(host, port);
    }

    private static ValueTask ReplyAsync(Stream stream, byte reply, CancellationToken cancellationToken)
        => stream.WriteAsync(new byte[] { Version, reply, 0, IPv4, 0, 0, 0, 0, 0, 0 }, cancellationToken);

    private static async ValueTask<byte[]> TakeAsync(ConnectionReader reader, int count, CancellationToken cancellationToken)
    {
        while (reader.Buffered.Length < count)
        {
            if (!await reader.FillAsync(cancellationToken).ConfigureAwait(false))
            {
                throw new EndOfStreamException();
            }
        }

        var bytes = reader.Buffered[..count].ToArray();
        reader.Advance(count);
        return bytes;
    }
}
