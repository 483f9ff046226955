using System.Net;

namespace Mesh.Xds.Serving;

/// <summary>Who is at the other end of a stream, before it has said anything.</summary>
internal sealed record AdsConnectionInfo(long Id, EndPoint? RemoteEndPoint, bool IsInProcess);
