using Mesh.Xds.Ads;
using Mesh.Xds.Client;
using Mesh.Xds.Grpc;

namespace Mesh.Xds.Bootstrap;

/// <summary>One server of the bootstrap.</summary>
/// <param name="ServerUri">The target, in any spelling that <see cref="GrpcTarget.Parse"/> takes.</param>
/// <param name="Tls">The credentials of type <c>tls</c>; <see langword="null"/> for <c>insecure</c>.</param>
/// <param name="Features">What the server is known to do.</param>
internal sealed record XdsServerConfig(string ServerUri, GrpcTlsCredentials? Tls, XdsServerFeatures Features)
{
    /// <summary>Makes the server that an <see cref="XdsClient"/> speaks to; nothing connects yet.</summary>
    /// <exception cref="FormatException">The target cannot be used.</exception>
    public XdsServer CreateServer(TimeProvider timeProvider, TimeSpan? keepAliveInterval = null)
        => new(
            new GrpcAdsTransport(ServerUri, new GrpcChannelOptions
            {
                Tls = Tls,
                KeepAliveInterval = keepAliveInterval,
                TimeProvider = timeProvider,
                UserAgent = $"{XdsNode.UserAgentName}/{XdsNode.UserAgentVersion}",
            }),
            Features);
}
