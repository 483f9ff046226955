using System.Globalization;
using System.Net;

namespace Mesh.ControlPlane.Generators.Inbound;

/// <summary>The name under which a server asks for the listener of a port that it has opened (gRFC A36, with Istio's template).</summary>
/// <param name="Host">The address, without brackets.</param>
/// <param name="Port">The port.</param>
internal readonly record struct InboundListenerName(string Host, uint Port)
{
    public const string Prefix = "xds.istio.io/grpc/lds/inbound/";

    public static bool TryParse(string text, out InboundListenerName name)
    {
        name = default;
        if (!text.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return false;
        }

        var address = text.AsSpan(Prefix.Length);
        var colon = address.LastIndexOf(':');
        if (colon <= 0 || !uint.TryParse(address[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port is 0 or > 65535)
        {
            return false;
        }

        var host = address[..colon];
        if (host is ['[', .. var inner, ']'])
        {
            host = inner;
        }
        else if (host.Contains(':'))
        {
            return false;
        }

        if (!IPAddress.TryParse(host, out _))
        {
            return false;
        }

        name = new InboundListenerName(host.ToString(), port);
        return true;
    }
}
