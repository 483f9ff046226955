using System.Collections.Frozen;
using System.Globalization;
using System.Net;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Formatting;

/// <summary>The commands that tell of the connection that a request came in by, and of who made it. A request of this process came by none.</summary>
internal static class ConnectionCommands
{
    private delegate string? OfFacts(ConnectionFacts connection);

    private static readonly HeaderName OriginalHost = new("x-envoy-original-host");

    private static readonly Dictionary<string, FormatAddress> _addresses = new(StringComparer.Ordinal)
    {
        // Whom a trusted proxy names has no port.
        ["DOWNSTREAM_REMOTE_ADDRESS"] = (in FormatContext c) => Remote(c) is not { } address ? null
            : address.Equals(c.Connection?.RemoteEndPoint?.Address) ? c.Connection!.RemoteEndPoint : new IPEndPoint(address, 0),
        ["DOWNSTREAM_DIRECT_REMOTE_ADDRESS"] = (in FormatContext c) => c.Connection?.RemoteEndPoint,
        ["DOWNSTREAM_LOCAL_ADDRESS"] = (in FormatContext c) => c.Connection?.LocalEndPoint,
        ["DOWNSTREAM_DIRECT_LOCAL_ADDRESS"] = (in FormatContext c) => c.Connection?.LocalEndPoint,
    };

    public static IEnumerable<(string Name, FormatCommand Command)> Commands
        => All.Select(c => (c.Key, Command(c.Key, c.Value))).Concat(CertificateCommands.All);

    public static FrozenDictionary<string, FormatValue> All { get; } = new Dictionary<string, FormatValue>
    {
        ["DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT"] = (in FormatContext c) => Remote(c)?.ToString(),
        ["DOWNSTREAM_REMOTE_PORT"] = (in FormatContext c)
            => Remote(c) is not { } address ? null : Number(address.Equals(c.Connection?.RemoteEndPoint?.Address) ? c.Connection!.RemoteEndPoint!.Port : 0),
        ["DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT"] = Of(c => c.RemoteEndPoint?.Address.ToString()),
        ["DOWNSTREAM_DIRECT_REMOTE_PORT"] = Of(c => Number(c.RemoteEndPoint?.Port)),
        ["DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT"] = Of(c => c.LocalEndPoint?.Address.ToString()),
        ["DOWNSTREAM_LOCAL_PORT"] = Of(c => Number(c.LocalEndPoint?.Port)),
        ["DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT"] = Of(c => c.LocalEndPoint?.Address.ToString()),
        ["DOWNSTREAM_DIRECT_LOCAL_PORT"] = Of(c => Number(c.LocalEndPoint?.Port)),
        ["CONNECTION_ID"] = Of(c => c.Id.ToString(CultureInfo.InvariantCulture)),
        ["FILTER_CHAIN_NAME"] = Of(c => NotEmpty(c.FilterChainName)),
        ["REQUESTED_SERVER_NAME"] = Of(c => NotEmpty(c.RequestedServerName)),
        ["DOWNSTREAM_TLS_VERSION"] = Of(c => TlsNames.Version(c.TlsProtocol)),
        ["DOWNSTREAM_TLS_CIPHER"] = Of(c => TlsNames.Cipher(c.TlsCipherSuite)),
    }.Concat(_addresses.Select(a => KeyValuePair.Create<string, FormatValue>(a.Key, (in FormatContext c) => a.Value(c)?.ToString()))).ToFrozenDictionary(StringComparer.Ordinal);

    private static FormatCommand Command(string name, FormatValue value)
        => _addresses.TryGetValue(name, out var address) ? FormatCommand.OfAddress(address) with { LengthAllowed = true, IsOfConnection = true }
            : name == "REQUESTED_SERVER_NAME" ? new(FormatArgument.Optional, LengthAllowed: true, argument => ServerName(argument, value)) { IsOfConnection = true, Reads = _ => [OriginalHost.Value] }
            : name.EndsWith("_WITHOUT_PORT", StringComparison.Ordinal)
                ? new(FormatArgument.Optional, LengthAllowed: true, argument => AddressMask.Apply(argument, value)) { IsOfConnection = true }
            : new(FormatArgument.None, LengthAllowed: true, _ => value, IsNumber: name == "CONNECTION_ID" || name.EndsWith("_PORT", StringComparison.Ordinal)) { IsOfConnection = true };

    private static FormatValue ServerName(string argument, FormatValue name)
    {
        var parts = argument.Split(':');
        FormatValue? host = parts.ElementAtOrDefault(1) switch
        {
            null or "" or "ORIG_OR_HOST" => (in FormatContext c) => c.RequestHeader(OriginalHost) ?? c.Authority,
            "ORIG" => (in FormatContext c) => c.RequestHeader(OriginalHost),
            "HOST" => (in FormatContext c) => c.Authority,
            _ => null,
        };
        return host is null || parts.Length > 2 ? throw Unknown() : parts[0] switch
        {
            "" or "SNI_ONLY" => name,
            "SNI_FIRST" => (in FormatContext c) => name(c) ?? host(c),
            "HOST_FIRST" => (in FormatContext c) => host(c) ?? name(c),
            _ => throw Unknown(),
        };

        static FormatException Unknown() => new("the argument is SNI_ONLY, SNI_FIRST or HOST_FIRST, then ORIG, HOST or ORIG_OR_HOST after a colon");
    }

    private static IPAddress? Remote(in FormatContext context) => context.RemoteAddress ?? context.Connection?.RemoteEndPoint?.Address;

    private static FormatValue Of(OfFacts value) => (in FormatContext c) => c.Connection is { } connection ? value(connection) : null;

    private static string? Number(int? number) => number?.ToString(CultureInfo.InvariantCulture);

    private static string? NotEmpty(string text) => text.Length > 0 ? text : null;
}
