using Mesh.Xds.Client;
using EnvoyCluster = Envoy.Config.Cluster.V3.Cluster;

namespace Mesh.DataPlane.Transports;

/// <summary>Compiles a cluster's <c>transport_socket_matches</c>. One that cannot be honoured refuses the cluster: its endpoints would be spoken to otherwise.</summary>
internal static class TransportMatchesCompiler
{
    /// <exception cref="ResourceRejectedException">A socket is not supported, or has the name of another.</exception>
    public static IReadOnlyList<TransportMatch> Compile(EnvoyCluster message, ICollection<string> notes)
    {
        if (message.TransportSocketMatcher is not null)
        {
            throw new ResourceRejectedException("transport_socket_matcher", "is not supported; the cluster is refused rather than spoken to otherwise than was asked");
        }

        var matches = new List<TransportMatch>(message.TransportSocketMatches.Count);
        for (var i = 0; i < message.TransportSocketMatches.Count; i++)
        {
            var match = message.TransportSocketMatches[i];
            var path = $"transport_socket_matches[{i}]";
            if (match.TransportSocket is null)
            {
                throw new ResourceRejectedException(path + ".transport_socket", "must be set");
            }

            // What the cluster's other fields come to has been noted once.
            var own = new List<string>();
            var transport = TransportSettingsCompiler.Compile(message, match.TransportSocket, path + ".transport_socket", own);
            foreach (var note in own.Where(n => n.StartsWith(path, StringComparison.Ordinal)))
            {
                notes.Add(note);
            }

            // Equal settings are one pool, wherever they stand.
            var same = matches.FirstOrDefault(m => m.Transport == transport)?.Transport;
            matches.Add(new TransportMatch(match.Name, TransportMatch.LabelsOf(match.Match ?? new())!, same ?? transport));
        }

        return matches;
    }
}
