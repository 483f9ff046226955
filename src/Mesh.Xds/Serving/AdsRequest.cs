using Envoy.Config.Core.V3;
using Google.Rpc;

namespace Mesh.Xds.Serving;

/// <summary>What both variants of a discovery request have in common.</summary>
internal readonly record struct AdsRequest(string TypeUrl, Node? Node, string Nonce, Status? Error, int Bytes);
