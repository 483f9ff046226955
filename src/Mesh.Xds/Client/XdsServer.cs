using Mesh.Xds.Ads;

namespace Mesh.Xds.Client;

/// <summary>One ADS server of the client; the client disposes the transport.</summary>
internal sealed record XdsServer(IAdsTransport Transport, XdsServerFeatures Features = XdsServerFeatures.None);
