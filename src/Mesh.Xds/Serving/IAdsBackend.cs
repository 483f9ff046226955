using Envoy.Config.Core.V3;

namespace Mesh.Xds.Serving;

/// <summary>What a control plane plugs into the ADS server engine.</summary>
internal interface IAdsBackend
{
    /// <summary>A stream has named its node with its first request.</summary>
    /// <param name="connection">The stream; <see cref="AdsConnectionInfo.Id"/> is unique for the life of the server.</param>
    /// <param name="node">The client's node.</param>
    /// <returns>The view that this node has; disposed when the stream ends.</returns>
    IAdsNodeView Connect(AdsConnectionInfo connection, Node node);
}
