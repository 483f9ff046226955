using System.Globalization;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Configuration;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Outbound;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Upstream;

namespace Mesh.DataPlane.Explaining;

/// <summary>
/// Says where a request of this process would go, and why, by the code that sends requests there. Nothing is sent and nothing changes: no host is asked
/// for, no turn of a rotation is taken, nothing is counted.
/// </summary>
internal sealed class RequestExplainer(MeshEngine engine, TimeProvider time)
{
    // A table of ten thousand routes explains itself by its first few misses.
    private const int MaxRoutes = 200;

    private static readonly UriCreationOptions Verbatim = new() { DangerousDisablePathAndQueryCanonicalization = true };

    /// <exception cref="FormatException">It could be no request: the message says why.</exception>
    public Explanation Explain(SupposedRequest supposed)
    {
        if (!HostNames.TryParse(supposed.Host, out var key) && !TryParseAddress(supposed.Host, out key))
        {
            throw new FormatException("host is no host name with an optional port, such as reviews:9080");
        }

        using var request = Message(supposed, key);
        var draw = supposed.Draw ?? SystemRandomSource.Instance.NextUInt64();
        var entry = engine.Hosts.Peek(key);
        var state = entry?.State;
        if (state is null or { Status: HostStatus.Unknown })
        {
            var outside = engine.Outbound.Peek(key, request);
            if (outside is { Verdict: OutboundVerdict.Route, Entry: { } routed })
            {
                return Of(routed, routed.State, request, draw, Decide(routed.State, routed.Authority, request, draw));
            }

            return Outside(supposed, entry, key, outside, draw);
        }

        return Of(entry!, state, request, draw, Decide(state, entry!.Authority, request, draw));
    }

    /// <summary>Says why a decision was made that has been recorded, by the state that it was made by.</summary>
    public Explanation Explain(RecordedDecision recorded)
    {
        using var request = recorded.Request.ToMessage();
        var view = ViewOf(recorded.Host.Authority, request);
        var again = engine.Decisions.Route(recorded.Decision.Host, view, recorded.Draw);
        return Of(recorded.Host, recorded.Decision.Host, request, recorded.Draw, recorded.Decision) with
        {
            At = recorded.At,
            ReplayAgrees = again.Route == recorded.Decision.Route && (again.Cluster == recorded.Decision.Cluster || again.ClusterHeader is not null),
        };
    }

    private static HttpRequestMessage Message(SupposedRequest supposed, HostKey key)
    {
        if (!supposed.Path.StartsWith('/') || RequestTarget.Sendable(supposed.Path) is not { } target)
        {
            throw new FormatException("path is none: it begins with / and has no blanks and no fragment");
        }

        if (!Mesh.Filters.HeaderSyntax.IsToken(supposed.Method))
        {
            throw new FormatException("method is no HTTP method");
        }

        if (supposed.Headers.Count > SupposedRequest.MaxHeaders)
        {
            throw new FormatException($"there are more than {SupposedRequest.MaxHeaders} headers");
        }

        var request = new HttpRequestMessage(HttpMethod.Parse(supposed.Method), new Uri($"{supposed.Scheme}://{key.Authority}{target}", Verbatim));
        foreach (var (name, value) in supposed.Headers)
        {
            if (!Mesh.Filters.HeaderSyntax.IsToken(name) || !Headers.HeaderValues.IsSafe(value))
            {
                throw new FormatException("a header is none: write 'name: value'");
            }

            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                (request.Content ??= new ByteArrayContent([])).Headers.TryAddWithoutValidation(name, value);
            }
        }

        return request;
    }

    private static bool TryParseAddress(string text, out HostKey key)
    {
        key = default;
        if (!System.Net.IPEndPoint.TryParse(text, out var address))
        {
            return false;
        }

        key = new HostKey(address.Address.ToString(), address.Port == 0 ? 80 : address.Port);
        return true;
    }

    private static RequestView ViewOf(string authority, HttpRequestMessage request)
        => new(request.RequestUri!.PathAndQuery, request.Method.Method, authority, request.RequestUri.Scheme, HttpRequestHeaderReader.Instance, request);

    private Decision Decide(HostState state, string authority, HttpRequestMessage request, ulong draw)
    {
        var view = ViewOf(authority, request);
        var decision = engine.Decisions.Route(state, view, draw);
        if (decision.ClusterHeader is { } name)
        {
            decision.Cluster = engine.Clusters.Find(name);
        }

        if (decision.Cluster is { } cluster)
        {
            if (cluster.Current.Destinations is not null)
            {
                decision.ClusterState = cluster.Current;
                return decision;
            }

            var pick = new PickContext(draw) { IsRehearsal = true };
            DecisionMaker.Pick(ref decision, RequestHash.PoliciesOf(decision) is { } policies ? RequestHash.Apply(policies, pick, view, request, out _) : pick);
        }

        return decision;
    }

    private static Explanation Outside(SupposedRequest supposed, HostEntry? entry, HostKey key, OutboundDecision outside, ulong draw)
    {
        var known = entry is null
            ? "this process has not asked for the host yet; the first request to it, or Mesh:Preload, does"
            : $"the control plane does not know the host: {entry.State.Error}";
        var what = outside.Verdict == OutboundVerdict.Refuse ? $"it would be refused with {(int)outside.Status}" : "it would go on to where it is going, by the client's own means";
        return new Explanation(
            $"{supposed.Method} {key.Authority}{supposed.Path}",
            Text(draw),
            entry is null ? "not known yet" : outside.Verdict == OutboundVerdict.Refuse ? "refused" : "outside of the mesh",
            [known, entry is null ? $"if the control plane does not know it, {what}: {outside.Reason}" : $"{what}: {outside.Reason}"])
        {
            Host = entry is null ? null : HostDump.Of(entry),
        };
    }

    private Explanation Of(HostEntry entry, HostState state, HttpRequestMessage request, ulong draw, in Decision decision)
    {
        var view = ViewOf(entry.Authority, request);
        var verdict = decision.Endpoint is { } endpoint ? $"to {endpoint} of {decision.Cluster!.Name}"
            : decision.ClusterState?.Destinations is not null ? $"to the address that it asks for, by {decision.Cluster!.Name}"
            : decision.Reply is { } reply ? string.Create(CultureInfo.InvariantCulture, $"answered by the mesh: {(int)reply.Status} {reply.Flags} {reply.Details}")
            : decision.ClusterHeader is { } named ? $"to the cluster {named}, which has not been asked for yet"
            : state.Tcp is not null ? $"a host for connections, not for requests: ask for {SupposedConnection.Scheme}{entry.Authority}"
            : $"answered by the mesh: 503, since the host is {state.Status}";
        return new Explanation($"{request.Method} {entry.Authority}{RequestSnapshot.Shown(request.RequestUri!.PathAndQuery)}", Text(draw), verdict, Explainer.Explain(entry.Authority, view, draw, decision))
        {
            Host = HostDump.Of(entry),
            VirtualHost = state.VirtualHost?.Name,
            Routes = RoutesOf(state.VirtualHost, view, draw, decision.Route),
            Filters = state.Filters is { } filters ? FiltersOf(filters, state.ChainOf(decision)) : [],
            Policies = decision.Route is { } route ? RouteDump.Of(route).Policies : [],
            Clusters = decision.Route is { } to ? RouteDump.WeightsOf(to.Action) : [],
            Cluster = decision.Cluster?.Name,
            Candidates = decision.ClusterState is { } cluster ? Explaining.Candidates.Of(cluster, decision.Endpoint, time) : [],
            Endpoint = decision.Endpoint?.ToString(),
        };
    }

    private static List<RouteVerdict> RoutesOf(VirtualHost? host, scoped in RequestView view, ulong draw, RouteEntry? chosen)
    {
        var verdicts = new List<RouteVerdict>();
        foreach (var route in host?.Routes ?? [])
        {
            if (route == chosen)
            {
                var asks = string.Join(", ", route.Match.Conditions.Words.Prepend(route.Match.Path.ToString()));
                verdicts.Add(new RouteVerdict(route.Index, route.Name, "chosen", asks, RouteDump.Words(route.Action)));
            }
            else if (chosen is not null && route.Index > chosen.Index)
            {
                verdicts.Add(new RouteVerdict(route.Index, route.Name, "not asked", "an earlier route was chosen", RouteDump.Words(route.Action)));
            }
            else
            {
                verdicts.Add(new RouteVerdict(route.Index, route.Name, "missed", $"it asks for: {route.Match.FirstMismatch(view, draw) ?? "TLS"}", RouteDump.Words(route.Action)));
            }

            // The chosen one is told however late it comes.
            if (verdicts.Count > MaxRoutes && (chosen is null || route.Index >= chosen.Index))
            {
                break;
            }
        }

        if (verdicts.Count > MaxRoutes)
        {
            var at = verdicts.FindIndex(v => v.Verdict == "chosen");
            verdicts = at < MaxRoutes ? verdicts[..MaxRoutes] : [.. verdicts[..(MaxRoutes - 1)], verdicts[at]];
        }

        return verdicts;
    }

    private static List<FilterVerdict> FiltersOf(FilterChains filters, FilterChain? chain)
        => [.. filters.Listener.Select((f, i) => chain?.Filters[i] is { } filter
            ? new FilterVerdict(f.Name, f.Type.ConfigType, "in force", WordsOf(filter))
            : new FilterVerdict(f.Name, f.Type.ConfigType, "off here", "it has nothing to do on this route"))];

    // Most filters say no more of themselves than their type does.
    private static string WordsOf(Mesh.Filters.HttpFilter filter) => filter.ToString() is { } words && words != filter.GetType().ToString() ? words : "";

    private static string Text(ulong draw) => draw.ToString("x16", CultureInfo.InvariantCulture);
}
