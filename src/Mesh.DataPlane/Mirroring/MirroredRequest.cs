using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.Retry;
using Mesh.DataPlane.Telemetry.Tracing;
using Mesh.DataPlane.Upstream;

namespace Mesh.DataPlane.Mirroring;

/// <summary>
/// The copies of one request. Without a body they leave at once; with one they leave when the original's has gone out, and if all of it was kept.
/// </summary>
internal sealed class MirroredRequest(MirrorSender sender, HostEntry host, HostState state, TimeSpan timeout, ulong draw)
{
    private readonly List<(HttpRequestMessage Copy, Cluster? Cluster, string? ClusterName, MirrorSpan? Span)> _copies = [];

    public void Add(HttpRequestMessage copy, Cluster? cluster, string? clusterName, MirrorSpan? span) => _copies.Add((copy, cluster, clusterName, span));

    /// <summary>When the body, if any, has been watched all the way.</summary>
    public void Finish(OutgoingBody? body)
    {
        foreach (var (copy, cluster, name, span) in _copies)
        {
            if (body is not null)
            {
                if (SnapshotOf(body) is not { } content)
                {
                    sender.Abandon();
                    span?.Drop();
                    copy.Dispose();
                    continue;
                }

                copy.Content = content;
            }

            draw = LoadBalancing.Draw.Next(draw);
            sender.Start(host, state, copy, cluster, name, timeout, draw, span);
        }

        _copies.Clear();
    }

    // The caller's own content may fail in any way; that is the original's to tell, not the copy's.
    private static HttpContent? SnapshotOf(OutgoingBody body)
    {
        try
        {
            return body.Snapshot();
        }
        catch (Exception)
        {
            return null;
        }
    }
}
