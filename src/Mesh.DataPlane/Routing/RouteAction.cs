using System.Net;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Redirects;

namespace Mesh.DataPlane.Routing;

/// <summary>What happens to a request that a route has matched.</summary>
internal abstract class RouteAction
{
    /// <summary>The clusters that the action names.</summary>
    public virtual IReadOnlyList<Cluster> Clusters => [];

    /// <summary>The status when the cluster does not exist (Envoy: 503 unless the route says otherwise).</summary>
    public HttpStatusCode NotFound { get; protected init; } = HttpStatusCode.ServiceUnavailable;

    /// <summary>To one cluster.</summary>
    internal sealed class ToCluster : RouteAction
    {
        public ToCluster(Cluster cluster, HttpStatusCode notFound)
        {
            Cluster = cluster;
            NotFound = notFound;
        }

        public Cluster Cluster { get; }

        public override IReadOnlyList<Cluster> Clusters => [Cluster];
    }

    /// <summary>To one of several clusters by weight, decided by the request's random draw.</summary>
    internal sealed class ToWeightedClusters : RouteAction
    {
        private readonly uint _total;

        public ToWeightedClusters(WeightedCluster[] choices, HttpStatusCode notFound)
        {
            Choices = choices;
            NotFound = notFound;
            _total = choices[^1].UpperBound;
        }

        public WeightedCluster[] Choices { get; }

        public override IReadOnlyList<Cluster> Clusters => [.. Choices.Select(c => c.Cluster)];

        public WeightedCluster Choose(ulong draw)
        {
            var point = (uint)Math.BigMul(draw, _total, out _);
            foreach (var choice in Choices)
            {
                if (point < choice.UpperBound)
                {
                    return choice;
                }
            }

            return Choices[^1];
        }
    }

    /// <summary>To the cluster that a request header names.</summary>
    internal sealed class ToClusterHeader : RouteAction
    {
        public ToClusterHeader(HeaderName header, HttpStatusCode notFound)
        {
            Header = header;
            NotFound = notFound;
        }

        public HeaderName Header { get; }
    }

    /// <summary>To the application in this process (<c>non_forwarding_action</c>).</summary>
    internal sealed class ToApplication : RouteAction
    {
        private ToApplication()
        {
        }

        public static ToApplication Instance { get; } = new();
    }

    /// <summary>Answered at once, without an upstream.</summary>
    internal sealed class Respond(HttpStatusCode status, byte[] body) : RouteAction
    {
        public HttpStatusCode Status { get; } = status;

        public byte[] Body { get; } = body;
    }

    /// <summary>Answered with another address.</summary>
    internal sealed class RedirectTo(Redirect redirect) : RouteAction
    {
        public Redirect Redirect { get; } = redirect;
    }

    /// <summary>An action that this data plane does not have; the request fails and says so.</summary>
    internal sealed class Unsupported(string action) : RouteAction
    {
        public string Action { get; } = action;
    }
}
