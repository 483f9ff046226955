using System.Collections.Frozen;
using System.Globalization;
using System.Net;
using Mesh.DataPlane.Inbound;

namespace Mesh.DataPlane.Formatting;

/// <summary>The commands that tell of the connection that a request came in by, and of who made it. A request of this process came by none.</summary>
internal static class ConnectionCommands
{
    private delegate string? OfFacts(ConnectionFacts connection);

    public static FrozenDictionary<string, FormatValue> All { get; } = new Dictionary<string, FormatValue>
    {
        // Whom a trusted proxy names has no port.
        ["DOWNSTREAM_REMOTE_ADDRESS"] = (in FormatContext c) => Remote(c) is not { } address ? null
            : address.Equals(c.Connection?.RemoteEndPoint?.Address) ? c.Connection!.RemoteEndPoint!.ToString() : new IPEndPoint(address, 0).ToString(),
        ["DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT"] = (in FormatContext c) => Remote(c)?.ToString(),
        ["DOWNSTREAM_REMOTE_PORT"] = (in FormatContext c)
            => Remote(c) is not { } address ? null : Number(address.Equals(c.Connection?.RemoteEndPoint?.Address) ? c.Connection!.RemoteEndPoint!.Port : 0),
        ["DOWNSTREAM_DIRECT_REMOTE_ADDRESS"] = Of(c => c.RemoteEndPoint?.ToString()),
        ["DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT"] = Of(c => c.RemoteEndPoint?.Address.ToString()),
        ["DOWNSTREAM_DIRECT_REMOTE_PORT"] = Of(c => Number(c.RemoteEndPoint?.Port)),
        ["DOWNSTREAM_LOCAL_ADDRESS"] = Of(c => c.LocalEndPoint?.ToString()),
        ["DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT"] = Of(c => c.LocalEndPoint?.Address.ToString()),
        ["DOWNSTREAM_LOCAL_PORT"] = Of(c => Number(c.LocalEndPoint?.Port)),
        ["DOWNSTREAM_DIRECT_LOCAL_ADDRESS"] = Of(c => c.LocalEndPoint?.ToString()),
        ["DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT"] = Of(c => c.LocalEndPoint?.Address.ToString()),
        ["DOWNSTREAM_DIRECT_LOCAL_PORT"] = Of(c => Number(c.LocalEndPoint?.Port)),
        ["REQUESTED_SERVER_NAME"] = Of(c => NotEmpty(c.RequestedServerName)),
        ["DOWNSTREAM_PEER_SUBJECT"] = Of(c => NotEmpty(c.Subject)),
        ["DOWNSTREAM_PEER_URI_SAN"] = Of(c => NotEmpty(string.Join(',', c.UriNames))),
        ["DOWNSTREAM_PEER_DNS_SAN"] = Of(c => NotEmpty(string.Join(',', c.DnsNames))),
        ["DOWNSTREAM_PEER_FINGERPRINT_256"] = Of(c => NotEmpty(c.PeerSha256)),
        ["DOWNSTREAM_PEER_SERIAL"] = Of(c => c.PeerCertificate?.SerialNumber.ToLowerInvariant()),
        ["DOWNSTREAM_LOCAL_URI_SAN"] = Of(c => c.LocalUriName),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static IPAddress? Remote(in FormatContext context) => context.RemoteAddress ?? context.Connection?.RemoteEndPoint?.Address;

    private static FormatValue Of(OfFacts value) => (in FormatContext c) => c.Connection is { } connection ? value(connection) : null;

    private static string? Number(int? number) => number?.ToString(CultureInfo.InvariantCulture);

    private static string? NotEmpty(string text) => text.Length > 0 ? text : null;
}
