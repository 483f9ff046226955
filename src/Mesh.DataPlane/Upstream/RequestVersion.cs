using System.Net;
using Mesh.DataPlane.Transports;

namespace Mesh.DataPlane.Upstream;

/// <summary>The version of HTTP that a message is sent by.</summary>
internal static class RequestVersion
{
    /// <summary>Makes the message one of the version that its cluster speaks.</summary>
    /// <exception cref="HttpRequestException">The cluster speaks none that it could be sent by.</exception>
    public static void Use(HttpRequestMessage request, UpstreamProtocol protocol)
    {
        switch (protocol)
        {
            case UpstreamProtocol.Http2:
                request.Version = HttpVersion.Version20;
                request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
                break;
            case UpstreamProtocol.Automatic when request.Headers.Protocol is null:
                request.Version = HttpVersion.Version20;
                request.VersionPolicy = HttpVersionPolicy.RequestVersionOrLower;
                break;
            case UpstreamProtocol.Http11 when request.Method == HttpMethod.Connect && request.Headers.Protocol is { } protocolName:
                throw new HttpRequestException(
                    HttpRequestError.ExtendedConnectNotSupported,
                    $"The cluster speaks HTTP/1.1, which has no extended CONNECT; open '{protocolName}' by an HTTP/1.1 upgrade.");
            case UpstreamProtocol.Http11 when request.Version.Major >= 2 || request.VersionPolicy != HttpVersionPolicy.RequestVersionOrLower:
                request.Version = HttpVersion.Version11;
                request.VersionPolicy = HttpVersionPolicy.RequestVersionOrLower;
                break;
        }
    }
}
