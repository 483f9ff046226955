using Mesh.DataPlane.Explaining;
using Mesh.DataPlane.Upstream;

namespace Mesh.Testing;

/// <summary>Where the mesh sent one request, and why.</summary>
public sealed class MeshDecision
{
    private readonly RecordedRequest _request;
    private readonly HttpRequestOptions _outcome;
    private readonly Decision? _decision;
    private readonly Lazy<IReadOnlyList<string>> _explanation;

    private MeshDecision(
        RecordedRequest request,
        HttpRequestMessage message,
        string source,
        DateTimeOffset time,
        Func<MeshDecision, IReadOnlyList<string>> explain)
    {
        _request = request;
        _outcome = message.Options;
        _explanation = new Lazy<IReadOnlyList<string>>(() => explain(this));
        Source = source;
        Time = time;
    }

    internal MeshDecision(
        RecordedRequest request,
        HttpRequestMessage message,
        string source,
        DateTimeOffset time,
        ulong draw,
        in Decision decision,
        MeshDecisionEndpoint? endpoint)
        : this(request, message, source, time, made => Explainer.Explain(made.Authority, made._request.View, made.Draw, made._decision!.Value))
    {
        _decision = decision;
        Draw = draw;
        Endpoint = endpoint;
        IsMeshed = decision.Host.Table is not null;
    }

    internal MeshDecision(RecordedRequest request, HttpRequestMessage message, string source, DateTimeOffset time, string explanation)
        : this(request, message, source, time, _ => [explanation])
    {
    }

    /// <summary>When it was decided, by the clock of the mesh.</summary>
    public DateTimeOffset Time { get; }

    /// <summary>Who called: the label <c>app</c> of the caller's workload.</summary>
    public string Source { get; }

    /// <summary>The host, with its port unless that is the scheme's default.</summary>
    public string Authority => _request.Authority;

    /// <summary>The method.</summary>
    public string Method => _request.Method;

    /// <summary>Path and query.</summary>
    public string Path => _request.PathAndQuery;

    /// <summary>Whether the mesh has routes for the host; otherwise the request was refused, or passed on to the client's own handler.</summary>
    public bool IsMeshed { get; }

    /// <summary>The name of the virtual host, if one has a domain for the authority.</summary>
    public string? VirtualHost => _decision?.Host.VirtualHost?.Name;

    /// <summary>The name of the route that matched: in Istio the name of the VirtualService's HTTP route.</summary>
    public string? Route => _decision?.Route?.Name;

    /// <summary>The place of the route that matched among those of the virtual host, from 0.</summary>
    public int? RouteIndex => _decision?.Route?.Index;

    /// <summary>The name of the cluster: <c>outbound|9080|v1|reviews.default.svc.cluster.local</c>.</summary>
    public string? Cluster => _decision?.Cluster?.Name;

    /// <summary>The endpoint; <see langword="null"/> when the mesh answered by itself.</summary>
    public MeshDecisionEndpoint? Endpoint { get; }

    /// <summary>The random number that decided between weights and endpoints.</summary>
    public ulong Draw { get; }

    /// <summary>The version of the listener that was in force.</summary>
    public string ListenerVersion => _decision?.Host.ListenerVersion ?? "";

    /// <summary>The version of the routes that were in force.</summary>
    public string RouteVersion => _decision?.Host.Table?.Version ?? "";

    /// <summary>The version of the cluster that was in force.</summary>
    public string ClusterVersion => _decision?.ClusterState?.Version ?? "";

    /// <summary>
    /// Envoy's response flags if the mesh answered by itself (<c>NR</c>, <c>UH</c>, <c>NC</c>, <c>UF</c> …), known once the response is; otherwise
    /// empty.
    /// </summary>
    public string ResponseFlags => _outcome.TryGetValue(MeshRequest.ResponseFlags, out var flags) ? flags : "";

    /// <summary>Envoy's response-code details if the mesh answered by itself, known once the response is; otherwise empty.</summary>
    public string ResponseCodeDetails => _outcome.TryGetValue(MeshRequest.ResponseCodeDetails, out var details) ? details : "";

    /// <summary>Why the request went there: what matched, what did not and for which reason, how the dice fell.</summary>
    public IReadOnlyList<string> Explanation => _explanation.Value;

    /// <summary>The request, where it went, and the explanation.</summary>
    public override string ToString()
    {
        var target = Endpoint is { } endpoint ? $"{Cluster} at {endpoint}"
            : _decision is not null ? $"the mesh itself {ResponseFlags}".TrimEnd()
            : "outside the mesh";
        return string.Join(Environment.NewLine + "  ", [$"{Method} {Authority}{Path} from {Source} -> {target}", .. Explanation]);
    }
}
