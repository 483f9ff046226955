using System.Globalization;
using System.Net;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Upstream;
using Mesh.Filters;

namespace Mesh.DataPlane.Inbound.Http;

/// <summary>A request that has come in by a listener of the mesh, on its way to the application of this process.</summary>
internal abstract class InboundExchange : EngineExchange
{
    private HttpFilter?[] _seen = [];

    /// <summary>What the listener does with requests; one version for the whole of this one.</summary>
    public InboundHttpTable Table { get; protected set; } = null!;

    public InboundRoute Route { get; set; }

    /// <summary>What signals are made of; <see langword="null"/> when nobody wants to know.</summary>
    public RequestRecord? Record { get; set; }

    /// <summary>The request's one random draw.</summary>
    public ulong Draw { get; protected set; }

    public IPAddress? JudgedAddress { get; set; }

    /// <summary>Its <c>x-envoy-*</c> headers are heeded.</summary>
    public bool IsInternal { get; set; }

    /// <summary>The reply in place of the application's response, where there is one.</summary>
    public LocalReply? Reply { get; set; }

    public override IPAddress? RemoteAddress => JudgedAddress;

    public override string? RouteName => Route.Route?.Name;

    /// <summary>As Istio names the cluster that is the application itself.</summary>
    public override string? ClusterName
        => Route.Route?.Action is RouteAction.ToApplication ? string.Create(CultureInfo.InvariantCulture, $"inbound|{Connection?.LocalEndPoint?.Port ?? 0}||") : null;

    public override bool IsLocalReply => Reply is not null;

    /// <summary>Filters have left word for each other.</summary>
    public bool HasMetadata => Exchange.HasMetadata;

    /// <summary>The filters that have seen the request, by their places in the chain.</summary>
    public Span<HttpFilter?> Seen(int filters)
    {
        if (_seen.Length < filters)
        {
            _seen = new HttpFilter?[filters];
        }

        return _seen.AsSpan(0, filters);
    }

    /// <summary>
    /// Routes the request as it stands now. Where the application would read another path than the one that is judged, both must lead to the same.
    /// </summary>
    /// <returns><see langword="false"/> when they do not, and the request is answered.</returns>
    public bool FindRoute()
    {
        var view = View;
        Route = Table.Route(view, Draw);
        if (ApplicationPath is { } path)
        {
            var other = Table.Route(view.WithTarget(string.Concat(path, view.PathAndQuery[view.Path.Length..])), Draw).Route;
            if (!ReferenceEquals(other, Route.Route) && (other?.Action != Route.Route?.Action || other?.Policy != Route.Route?.Policy))
            {
                Reply = InboundReplies.PathAmbiguous;
                return false;
            }
        }

        return true;
    }

    /// <summary>What reading the body of the request has thrown: the caller's affair, and no filter's failure.</summary>
    public Exception? BodyFailure { get; protected set; }

    /// <summary>Puts <see cref="Reply"/> in place of the response that filters have seen so far.</summary>
    public abstract void ReplaceResponse();

    /// <summary>Looks over the headers once.</summary>
    public abstract void Scan(ref HeaderScan scan);

    protected void Reset()
    {
        Exchange.Reset();
        Array.Clear(_seen);
        (Table, Route, JudgedAddress, IsInternal, Reply, BodyFailure) = (null!, default, null, false, null, null);
        Record = null;
        (OverrideHost, OverrideHostMissing, UpstreamAddress) = (null, null, null);
    }
}
