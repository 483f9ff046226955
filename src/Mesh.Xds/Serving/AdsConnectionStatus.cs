using Envoy.Config.Core.V3;

namespace Mesh.Xds.Serving;

/// <summary>One open stream.</summary>
internal sealed record AdsConnectionStatus(AdsConnectionInfo Connection, Node? Node, bool IsDelta, IReadOnlyList<AdsTypeStatus> Types);
