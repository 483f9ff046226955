using System.Globalization;
using System.Text;
using Google.Protobuf;
using Mesh.Filters;
using Message = Envoy.Type.Http.V3.Cookie;

namespace Mesh.DataPlane.Filters.StatefulSession;

/// <summary>
/// A session kept in a cookie. Its value is base64 of the message that Envoy writes, <c>{ string address = 1; uint64 expires = 2; }</c>; the
/// address alone, which older versions wrote, is read as well.
/// </summary>
internal sealed class CookieSession(Message cookie, TimeProvider time) : SessionState
{
    private readonly TimeSpan _lifetime = cookie.Ttl?.ToTimeSpan() ?? TimeSpan.Zero;

    // A cookie with a path is for requests below it, as browsers have it.
    public override bool AppliesTo(HttpExchange exchange)
    {
        if (cookie.Path is "" or "/")
        {
            return true;
        }

        var path = exchange.Path;
        return path.StartsWith(cookie.Path, StringComparison.Ordinal)
            && (cookie.Path.EndsWith('/') || path.Length == cookie.Path.Length || path[cookie.Path.Length] is '/' or '?' or '#');
    }

    public override string? Read(HttpExchange exchange)
    {
        if (CookieValue(exchange.RequestHeaders["cookie"], cookie.Name) is not { } text || FromBase64(text) is not { Length: > 0 } value)
        {
            return null;
        }

        if (!TryDecode(value, out var address, out var expires))
        {
            return Encoding.UTF8.GetString(value);
        }

        // Without a lifetime in the configuration, a cookie that has one is another configuration's.
        return address.Length == 0 || (expires != 0 && (_lifetime == TimeSpan.Zero || (ulong)time.GetUtcNow().ToUnixTimeSeconds() > expires)) ? null : address;
    }

    public override void Write(HttpExchange exchange, string address)
    {
        var seconds = (long)_lifetime.TotalSeconds;
        var text = new StringBuilder(cookie.Name).Append("=\"").Append(Encode(address, seconds)).Append('"');
        if (seconds > 0)
        {
            text.Append("; Max-Age=").Append(seconds.ToString(CultureInfo.InvariantCulture));
        }

        if (cookie.Path.Length > 0)
        {
            text.Append("; Path=").Append(cookie.Path);
        }

        foreach (var attribute in cookie.Attributes)
        {
            text.Append("; ").Append(attribute.Name);
            if (attribute.Value.Length > 0)
            {
                text.Append('=').Append(attribute.Value);
            }
        }

        exchange.ResponseHeaders.Add("set-cookie", text.Append("; HttpOnly").ToString());
    }

    private string Encode(string address, long seconds)
    {
        using var bytes = new MemoryStream();
        using (var output = new CodedOutputStream(bytes, leaveOpen: true))
        {
            output.WriteTag(1, WireFormat.WireType.LengthDelimited);
            output.WriteString(address);
            if (seconds > 0)
            {
                output.WriteTag(2, WireFormat.WireType.Varint);
                output.WriteUInt64((ulong)(time.GetUtcNow().ToUnixTimeSeconds() + seconds));
            }
        }

        return Convert.ToBase64String(bytes.ToArray());
    }

    private static bool TryDecode(byte[] value, out string address, out ulong expires)
    {
        (address, expires) = ("", 0);
        try
        {
            var input = new CodedInputStream(value);
            while (input.ReadTag() is not 0 and var tag)
            {
                switch (tag)
                {
                    case (1 << 3) | 2:
                        address = input.ReadString();
                        break;
                    case 2 << 3:
                        expires = input.ReadUInt64();
                        break;
                    default:
                        return false;
                }
            }

            return true;
        }
        catch (InvalidProtocolBufferException)
        {
            return false;
        }
    }

    private static string? CookieValue(string? header, string name)
    {
        foreach (var range in header.AsSpan().Split(';'))
        {
            var pair = header.AsSpan()[range].Trim(' ');
            var equals = pair.IndexOf('=');
            if (equals > 0 && pair[..equals].SequenceEqual(name))
            {
                var value = pair[(equals + 1)..];
                return (value.Length >= 2 && value[0] == '"' && value[^1] == '"' ? value[1..^1] : value).ToString();
            }
        }

        return null;
    }
}
