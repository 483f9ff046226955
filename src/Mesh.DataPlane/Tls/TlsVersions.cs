using System.Security.Authentication;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Tls;

/// <summary>The versions of TLS: 1.2 and 1.3 unless told otherwise, as in Envoy, whichever side one is.</summary>
internal static class TlsVersions
{
    /// <exception cref="ResourceRejectedException">There are none between minimum and maximum.</exception>
    public static SslProtocols Compile(TlsParameters? parameters, string path)
    {
        if (parameters is null)
        {
            return SslProtocols.Tls12 | SslProtocols.Tls13;
        }

        var first = Number(parameters.TlsMinimumProtocolVersion) ?? 2;
        var last = Number(parameters.TlsMaximumProtocolVersion) ?? 3;
        if (first > last)
        {
            throw new ResourceRejectedException(path + ".tls_maximum_protocol_version", "must not be below the minimum");
        }

#pragma warning disable CS0618, SYSLIB0039 // Asked for by name.
        SslProtocols[] all = [SslProtocols.Tls, SslProtocols.Tls11, SslProtocols.Tls12, SslProtocols.Tls13];
#pragma warning restore CS0618, SYSLIB0039
        return all[first..(last + 1)].Aggregate((a, b) => a | b);
    }

    private static int? Number(TlsParameters.Types.TlsProtocol version)
        => version switch
        {
            TlsParameters.Types.TlsProtocol.TlsAuto => null,
            TlsParameters.Types.TlsProtocol.Tlsv10 => 0,
            TlsParameters.Types.TlsProtocol.Tlsv11 => 1,
            TlsParameters.Types.TlsProtocol.Tlsv12 => 2,
            _ => 3,
        };
}
