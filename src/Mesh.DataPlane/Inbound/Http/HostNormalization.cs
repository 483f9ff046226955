using System.Globalization;

namespace Mesh.DataPlane.Inbound.Http;

/// <summary>Envoy's <c>strip_any_host_port</c>, <c>strip_matching_host_port</c> and <c>strip_trailing_host_dot</c>.</summary>
internal static class HostNormalization
{
    public static string Apply(string host, InboundHttpSettings settings, int? ownPort)
    {
        if (host.Length == 0 || !(settings.StripsTrailingDot || settings.StripsAnyPort || settings.StripsOwnPort))
        {
            return host;
        }

        var start = PortStart(host);
        if (settings.StripsTrailingDot && start > 0 && host[start - 1] == '.')
        {
            host = host.Remove(start - 1, 1);
            start--;
        }

        if (start == host.Length || !int.TryParse(host.AsSpan(start + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port))
        {
            return host;
        }

        return settings.StripsAnyPort || (settings.StripsOwnPort && port == ownPort) ? host[..start] : host;
    }

    private static int PortStart(string host)
    {
        var colon = host.LastIndexOf(':');
        return colon < 0 || host.AsSpan(colon).Contains(']') ? host.Length : colon;
    }
}
