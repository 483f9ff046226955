using System.Globalization;
using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>Looks at what can be said of a connection in a text; where there is nothing to say it does not match, whatever the matcher.</summary>
internal sealed class ConnectionTextRule(ConnectionTextRule.Text text, StringMatcher matcher) : RbacRule
{
    public override bool IsMatch(scoped in RbacRequest request) => TextOf(request) is { Length: > 0 } found && matcher.IsMatch(found);

    private string? TextOf(scoped in RbacRequest request)
    {
        var connection = request.Connection;
        return text switch
        {
            Text.DestinationPort => connection?.LocalEndPoint?.Port.ToString(CultureInfo.InvariantCulture),
            Text.SourcePort => connection?.RemoteEndPoint?.Port.ToString(CultureInfo.InvariantCulture),
            Text.ServerName => connection?.RequestedServerName,
            _ when connection?.PeerCertificate is null => null,

            // Several names are one text, as in Envoy.
            Text.UriNames => string.Join(',', connection.UriNames),
            Text.DnsNames => string.Join(',', connection.DnsNames),
            _ => connection.Subject,
        };
    }

    /// <summary>Which text.</summary>
    internal enum Text
    {
        DestinationPort,
        SourcePort,

        /// <summary>The name that TLS asked for.</summary>
        ServerName,

        /// <summary>The URIs of the peer's certificate.</summary>
        UriNames,

        /// <summary>Its DNS names.</summary>
        DnsNames,
        Subject,
    }
}
