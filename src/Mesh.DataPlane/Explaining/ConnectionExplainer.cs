using System.Globalization;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.Outbound;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Tcp;

namespace Mesh.DataPlane.Explaining;

/// <summary>
/// Says where a connection of this process would go that carries no requests, and why, by the code that makes connections. Nothing is opened and nothing
/// changes, as with requests.
/// </summary>
internal sealed class ConnectionExplainer(MeshEngine engine, TimeProvider time)
{
    public Explanation Explain(SupposedConnection supposed)
    {
        var key = new HostKey(supposed.Host, supposed.Port, IsTcp: true);
        var draw = supposed.Draw ?? SystemRandomSource.Instance.NextUInt64();
        var facts = new TcpFacts(supposed.Host, supposed.Port)
        {
            Tls = supposed.ServerName is null && supposed.ApplicationProtocols.Count == 0 ? null : new ClientHello((supposed.ServerName ?? "").ToLowerInvariant(), supposed.ApplicationProtocols),
        };
        var entry = engine.Hosts.Peek(key);
        var explanation = new Explanation($"connection to {facts}{(facts.Tls is { } tls ? $" with TLS for {(tls.ServerName.Length > 0 ? tls.ServerName : "no server name")}" : "")}", Text(draw), "", [])
        {
            Host = entry is null ? null : HostDump.Of(entry),
        };
        return entry?.State switch
        {
            null or { Status: HostStatus.Unknown } => Outside(explanation, entry, key),
            { Tcp: { } table } => Of(explanation, table, facts, draw),
            { Status: HostStatus.Meshed } => explanation with { Verdict = "a host for requests, not for connections" },
            var state => explanation with { Verdict = $"there is no connection, since the host is {state.Status}", Lines = [$"host {key}: {state.Status} {state.Error}".TrimEnd()] },
        };
    }

    private Explanation Of(Explanation explanation, TcpTable table, TcpFacts facts, ulong draw)
    {
        // 1. The filter chain.
        var lines = new List<string> { $"listener of {facts} (version {table.Version})" };
        if (table.DependsOnFirstBytes(facts))
        {
            lines.Add("its first bytes decide: this is for what is not TLS; say the server name for what is");
        }

        if (table.Select(facts) is not { } chain)
        {
            return explanation with { Verdict = "refused: no filter chain is for it", Lines = lines };
        }

        lines.Add($"filter chain {chain}{(ChainDump.Of(chain).Match is { Count: > 0 } match ? $", which is for {string.Join(", ", match)}" : "")}");

        // 2. The cluster.
        var cluster = chain.Choose(draw);
        if (chain.Clusters.Count > 1)
        {
            lines.Add($"weighted clusters ({string.Join(", ", chain.Clusters.Select((c, i) => $"{c.Name} {chain.Proxy.Clusters[i].Weight}"))}): the draw {Text(draw)} chose {cluster.Name}");
        }
        else
        {
            lines.Add($"cluster {cluster.Name}");
        }

        explanation = explanation with { Clusters = ChainDump.Of(chain).Clusters, Cluster = cluster.Name };

        // 3. The endpoint.
        var state = cluster.Current;
        if (state.Status != ClusterStatus.Ready)
        {
            return explanation with { Verdict = $"there is no connection: the cluster {cluster.Name} is {state.Status}", Lines = [.. lines, $"cluster {cluster.Name}: {state.Status} {state.Error}".TrimEnd()] };
        }

        if (state.Destinations is not null)
        {
            return explanation with { Verdict = $"to the address that it asks for, by {cluster.Name}", Lines = lines };
        }

        var pick = new PickContext(draw) { IsRehearsal = true };
        if (chain.Proxy.HashesSourceAddress)
        {
            pick = pick with { HasHash = true, Hash = OwnAddress.Hash };
        }

        var endpoint = state.Endpoints.Pick(pick.Next());
        lines.Add(endpoint is null
            ? $"no endpoint of {state.Endpoints.Endpoints.Count} may be picked {state.Error}".TrimEnd()
            : string.Create(CultureInfo.InvariantCulture, $"endpoint {endpoint} of {state.Endpoints.Endpoints.Count}, by {ClusterDump.NameOf(state.Policy!.LoadBalancing)}{(endpoint.Priority > 0 ? $", priority {endpoint.Priority}" : "")}"));
        return explanation with
        {
            Verdict = endpoint is null ? $"there is no connection: no endpoint of {cluster.Name} is healthy" : $"to {endpoint} of {cluster.Name}",
            Lines = lines,
            Candidates = Candidates.Of(state, endpoint, time),
            Endpoint = endpoint?.ToString(),
        };
    }

    private Explanation Outside(Explanation explanation, HostEntry? entry, HostKey key)
    {
        var outside = engine.Outbound.PeekConnection(new HostKey(key.Host, key.Port));
        var what = outside.Verdict switch
        {
            OutboundVerdict.Pass => "it would go on to where it is going, by the names of the operating system",
            OutboundVerdict.Route => $"it would go where the policy routes it: {RouteDump.Words(outside.Action!)}",
            _ => "it would be refused",
        };
        return explanation with
        {
            Verdict = entry is null ? "not known yet" : outside.Verdict == OutboundVerdict.Refuse ? "refused" : "outside of the mesh",
            Lines =
            [
                entry is null
                    ? "this process has not asked for the host yet; the first connection to it, or Mesh:Preload, does"
                    : $"the control plane does not know the host: {entry.State.Error}",
                $"{(entry is null ? "if the control plane does not know it, " : "")}{what}: {outside.Reason}",
            ],
        };
    }

    private static string Text(ulong draw) => draw.ToString("x16", CultureInfo.InvariantCulture);
}
