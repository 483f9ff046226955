using System.Security.Cryptography.X509Certificates;
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
    /// <param name="timeProvider">The clock.</param>
    /// <param name="keepAliveInterval">The time between pings.</param>
    /// <param name="bearerToken">Reads the token that proves who asks.</param>
    /// <param name="certificate">Finds the certificate that proves it.</param>
    /// <param name="learnedRoots">Finds roots that are trusted besides those of the credentials' file.</param>
    public XdsServer CreateServer(
        TimeProvider timeProvider,
        TimeSpan? keepAliveInterval = null,
        Func<string?>? bearerToken = null,
        Func<X509Certificate2?>? certificate = null,
        Func<X509Certificate2Collection?>? learnedRoots = null)
        => new(
            new GrpcAdsTransport(ServerUri, new GrpcChannelOptions
            {
                Tls = Tls?.With(certificate, learnedRoots),
                BearerToken = bearerToken,
                KeepAliveInterval = keepAliveInterval,
                TimeProvider = timeProvider,
                UserAgent = $"{XdsNode.UserAgentName}/{XdsNode.UserAgentVersion}",
            }),
            Features);
}
