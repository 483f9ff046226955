using System.Net;
using Mesh.Xds.Certificates;

namespace Mesh.Xds.Serving;

/// <summary>Who is at the other end of a stream, before it has said anything.</summary>
internal sealed record AdsConnectionInfo(long Id, EndPoint? RemoteEndPoint, bool IsInProcess)
{
    /// <summary>What it proves its identity with; not checked yet.</summary>
    public CallerCredentials Caller { get; init; } = CallerCredentials.None;

    /// <summary>When the stream was opened.</summary>
    public DateTimeOffset OpenedAt { get; init; }
}
