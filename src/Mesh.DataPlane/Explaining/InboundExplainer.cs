using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Inbound.Http;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Tcp;
using Mesh.DataPlane.Upstream;
using Mesh.Filters;
using Mesh.Identity;

namespace Mesh.DataPlane.Explaining;

/// <summary>
/// Says what would become of a request that comes in by a port of this process, and which policy decides, by the code that judges requests there.
/// Nothing is counted, logged or asked of anybody else.
/// </summary>
internal sealed class InboundExplainer(InboundPorts ports)
{
    private static readonly string[] MeshProtocols = ["istio-peer-exchange", "istio"];

    /// <exception cref="FormatException">It could be no request: the message says why.</exception>
    public InboundExplanation Explain(SupposedCall call)
    {
        Check(call);
        var told = $"{call.Request.Method} {call.Request.Host}{RequestSnapshot.Shown(call.Request.Path)} from {call.Principal ?? "somebody without a certificate"} at {call.Address}";
        var open = ports.Open.Where(p => call.Port == 0 || p.EndPoint.Port == call.Port).OrderBy(p => p.EndPoint.Port).ToList();
        if (open.Count == 0)
        {
            return new InboundExplanation(told, call.Port == 0 ? "no port of this process is covered by the mesh" : $"the mesh does not cover port {call.Port}: whoever reaches it is let in", true, []);
        }

        var listener = open[0];
        if (listener.Current is not { } table)
        {
            var why = listener.Refusal ?? "its listener has not come yet, and connections wait for it";
            return new InboundExplanation(told, $"denied: nobody is let in at {listener.EndPoint}: {why}", false, [why]) { Listener = listener.Name };
        }

        using var certificate = call.Principal is null ? null : Certificate(call.Principal);
        var facts = new ConnectionFacts
        {
            RemoteEndPoint = new IPEndPoint(call.Address, 0),
            LocalEndPoint = listener.EndPoint,
            IsTls = certificate is not null,
            PeerCertificate = certificate,
            LocalUriName = table.All.Select(c => c.Tls?.LocalUriName).FirstOrDefault(n => n is not null),
        };
        var where = new ChainFacts
        {
            Port = listener.EndPoint.Port,
            Destination = listener.EndPoint.Address,
            Source = call.Address,
            IsLocal = IPAddress.IsLoopback(call.Address) || call.Address.Equals(listener.EndPoint.Address),
            Tls = certificate is null ? null : new ClientHello("", MeshProtocols),
        };
        var lines = new List<string> { $"it comes in at {listener.EndPoint} by the listener {listener.Name} (version {table.Version})" };
        var explanation = new InboundExplanation(told, "", false, lines) { Listener = listener.Name };
        if (table.Select(where) is not { } chain)
        {
            var asked = certificate is null ? "plain text" : "mutual TLS";
            return explanation with { Verdict = $"denied: no filter chain of the port is for {asked} from there" };
        }

        lines.Add($"filter chain {chain}: {ChainDump.TlsOf(chain.Resource.Tls)}");
        explanation = explanation with { Chain = chain.ToString() };
        if (chain.Tls is { Settings.RequiresClientCertificate: true } && certificate is null)
        {
            return explanation with { Verdict = "denied: the chain asks for a certificate of the mesh, and there is none" };
        }

        var connections = ConnectionFilters(chain, facts);
        explanation = explanation with { ConnectionFilters = connections };
        if (connections.Find(f => f.Verdict == FilterVerdicts.Denied) is { } refusing)
        {
            return explanation with { Verdict = $"denied: {refusing.Name} closes the connection: {refusing.Reason}" };
        }

        return chain.Http is { } http
            ? Judge(explanation, lines, call, facts, http)
            : explanation with { Verdict = "allowed: the chain passes connections on to the application as they are", IsAllowed = true };
    }

    private static InboundExplanation Judge(InboundExplanation explanation, List<string> lines, SupposedCall call, ConnectionFacts facts, InboundHttpTable http)
    {
        var draw = call.Request.Draw ?? SystemRandomSource.Instance.NextUInt64();
        var exchange = new SupposedExchange(call.Request, facts, http, draw);

        // 1. What the request is once it has been normalised.
        if (InboundRequest.Prepare(exchange) is { } unprepared)
        {
            return explanation with { Verdict = Text(unprepared) };
        }

        if (exchange.Path != call.Request.Path)
        {
            lines.Add($"the path is read as {RequestSnapshot.Shown(exchange.Path)}");
        }

        // 2. Where it goes.
        if (!exchange.FindRoute())
        {
            return explanation with { Verdict = Text(exchange.Reply!) };
        }

        var route = exchange.Route;
        explanation = explanation with { VirtualHost = route.Host?.Name, Route = route.Route?.ToString() };
        lines.Add(route.Host is { } host ? $"virtual host {host.Name}" : $"no virtual host has a domain for {exchange.Authority}");
        lines.Add(route.Route is { } found ? $"{found} matches: {found.Match.Path}; {RouteDump.Words(found.Action)}" : "no route matches");

        // 3. Who lets it pass.
        var filters = new FilterVerdicts(exchange, call.Claims).Of(http.Filters?.Listener ?? [], http.ChainOf(route.Route));
        explanation = explanation with { Filters = filters };
        foreach (var filter in filters.Where(f => f.Reason.Length > 0))
        {
            lines.Add($"{filter.Name}: {filter.Verdict}, {filter.Reason}");
        }

        return filters.Find(f => f.Verdict == FilterVerdicts.Denied) is { } denying
                ? explanation with { Verdict = $"denied by {denying.Name}: {denying.Reason}" }
            : route.Route?.Action is not RouteAction.ToApplication
                ? explanation with { Verdict = route.Route is { } other ? $"not for the application: {RouteDump.Words(other.Action)}" : Text(LocalReply.NoRoute) }
            : filters.Find(f => f.Verdict == FilterVerdicts.Asks) is { } asking
                ? explanation with { Verdict = $"allowed as far as can be said: {asking.Name} asks somebody else, who is not asked here", IsAllowed = true }
            : explanation with { Verdict = "allowed", IsAllowed = true };
    }

    private static List<FilterVerdict> ConnectionFilters(InboundChain chain, ConnectionFacts facts)
    {
        var verdicts = new List<FilterVerdict>();
        foreach (var filter in chain.Resource.NetworkFilters)
        {
            var isAdmitted = filter.Admits(facts);
            verdicts.Add(new FilterVerdict(
                filter.Name, filter.GetType().Name, !isAdmitted ? FilterVerdicts.Denied : filter.Clusters.Any() ? FilterVerdicts.Asks : FilterVerdicts.Allowed, FilterVerdicts.ReasonOf(filter, facts))
            {
                Policies = FilterVerdicts.PoliciesOf(filter, facts),
            });
            if (!isAdmitted)
            {
                break;
            }
        }

        return verdicts;
    }

    private static string Text(LocalReply reply) => string.Create(CultureInfo.InvariantCulture, $"denied: {(int)reply.Status} {reply.Details}");

    private static void Check(SupposedCall call)
    {
        var request = call.Request;
        if (!request.Path.StartsWith('/') || RequestTarget.Sendable(request.Path) is null)
        {
            throw new FormatException("path is none: it begins with / and has no blanks and no fragment");
        }

        if (!HeaderSyntax.IsToken(request.Method))
        {
            throw new FormatException("method is no HTTP method");
        }

        if (!RequestTarget.IsAuthority(request.Host))
        {
            throw new FormatException("host is no host name with an optional port, such as reviews:9080");
        }

        if (request.Headers.Count > SupposedRequest.MaxHeaders || request.Headers.Any(h => !HeaderSyntax.IsToken(h.Name) || !Headers.HeaderValues.IsSafe(h.Value)))
        {
            throw new FormatException($"a header is none, or there are more than {SupposedRequest.MaxHeaders}: write 'name: value'");
        }

        if (call.Principal is { } principal && !SpiffeId.TryParse(principal, out _))
        {
            throw new FormatException("principal is no SPIFFE id, such as spiffe://cluster.local/ns/default/sa/productpage");
        }
    }

    // What rules look at are the names of a certificate: here is one with that name, which nobody has signed and nobody keeps.
    private static X509Certificate2 Certificate(string principal)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(new X500DistinguishedName(""), key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(new Uri(principal));
        request.CertificateExtensions.Add(names.Build(critical: true));
        return request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(200));
    }
}
