using System.Globalization;
using System.Net;

namespace Mesh.Xds.Grpc;

/// <summary>Where a channel connects to, read from one of gRPC's target spellings.</summary>
/// <param name="Text">The target as the user wrote it.</param>
/// <param name="Tls">What the scheme says about TLS: <c>http</c> no, <c>https</c> yes, any other spelling leaves it to the channel credentials.</param>
/// <param name="Authority"><c>host:port</c>; <c>localhost</c> for a Unix socket (gRPC naming).</param>
/// <param name="UnixPath">The path of the Unix socket, if it is one.</param>
internal sealed record GrpcTarget(string Text, bool? Tls, string Authority, string? UnixPath)
{
    /// <summary>gRPC's default port where a target names none.</summary>
    private const int DefaultPort = 443;

    /// <summary>Whether what is sent there stays on this machine.</summary>
    public bool IsOnThisMachine
    {
        get
        {
            var host = new Uri("http://" + Authority).DnsSafeHost;
            return UnixPath is not null || host == "localhost" || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));
        }
    }

    /// <summary>
    /// Parses <c>http://h:p</c>, <c>https://h:p</c>, <c>unix:///path</c>, <c>unix:path</c>, <c>dns:///h:p</c>, <c>dns:h:p</c>, <c>ipv4:a:p</c>,
    /// <c>ipv6:[a]:p</c> and bare <c>h:p</c>.
    /// </summary>
    /// <exception cref="FormatException">None of these.</exception>
    public static GrpcTarget Parse(string text)
    {
        var target = text.Trim();
        if (TryStrip(target, "http://", out var rest))
        {
            return new(text, false, HostAndPort(text, rest.TrimEnd('/'), 80), null);
        }

        if (TryStrip(target, "https://", out rest))
        {
            return new(text, true, HostAndPort(text, rest.TrimEnd('/'), 443), null);
        }

        if (TryStrip(target, "unix://", out rest))
        {
            return rest.StartsWith('/')
                ? new(text, null, "localhost", rest)
                : throw Bad(text, "after unix:// comes an absolute path, as in unix:///run/xds.sock");
        }

        if (TryStrip(target, "unix:", out rest))
        {
            return rest.Length > 0 ? new(text, null, "localhost", rest) : throw Bad(text, "the path of the Unix socket is missing");
        }

        if (TryStrip(target, "dns://", out rest))
        {
            // dns://<authority>/<host>: the authority names a DNS server, which the system's resolver cannot be told.
            var slash = rest.IndexOf('/');
            return slash switch
            {
                0 => new(text, null, HostAndPort(text, rest[1..], DefaultPort), null),
                -1 => throw Bad(text, "dns:// is followed by /host:port, as in dns:///xds.example:15010"),
                _ => throw Bad(text, "a DNS server in a dns:// target is not supported; write dns:///host:port"),
            };
        }

        foreach (var scheme in (ReadOnlySpan<string>)["dns:", "ipv4:", "ipv6:"])
        {
            if (TryStrip(target, scheme, out rest))
            {
                return new(text, null, HostAndPort(text, rest, DefaultPort), null);
            }
        }

        return target.Contains("://", StringComparison.Ordinal)
            ? throw Bad(text, "the scheme is not one of http, https, unix, dns, ipv4, ipv6")
            : new(text, null, HostAndPort(text, target, DefaultPort), null);
    }

    private static bool TryStrip(string target, string prefix, out string rest)
    {
        var matches = target.StartsWith(prefix, StringComparison.OrdinalIgnoreCase);
        rest = matches ? target[prefix.Length..] : "";
        return matches;
    }

    private static string HostAndPort(string text, string value, int defaultPort)
    {
        var portAt = value.LastIndexOf(':');
        var closing = value.LastIndexOf(']');
        var host = value;
        var port = defaultPort;
        if (portAt > closing && value.IndexOf(':') is var first && (first == portAt || closing > 0))
        {
            host = value[..portAt];
            if (!int.TryParse(value.AsSpan(portAt + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port) || port is 0 or > 65535)
            {
                throw Bad(text, $"'{value[(portAt + 1)..]}' is not a port");
            }
        }
        else if (portAt >= 0 && closing < 0)
        {
            host = $"[{value}]";
        }

        return Uri.CheckHostName(host) != UriHostNameType.Unknown
            ? string.Create(CultureInfo.InvariantCulture, $"{host}:{port}")
            : throw Bad(text, $"'{host}' is not a host name or address");
    }

    private static FormatException Bad(string text, string reason) => new($"the target '{text}' cannot be used: {reason} (write http://host:15010 for plain text, https://host:15012 for TLS)");
}
