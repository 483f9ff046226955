using System.Net;
using System.Text.Json.Nodes;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Telemetry;

namespace Mesh.DataPlane.Formatting;

/// <summary>
/// What the operators of a <see cref="SubstitutionFormat"/> may tell of one request. Whatever is not known (yet) is left out, and renders as Envoy
/// renders what it does not have.
/// </summary>
internal readonly struct FormatContext(TimeProvider time)
{
    private readonly DateTimeOffset? _startTime;

    /// <summary>Reads <see cref="Request"/>; each door keeps its headers in its own way.</summary>
    public HeaderReader? RequestHeaders { get; init; }

    public object? Request { get; init; }

    public HeaderReader? ResponseHeaders { get; init; }

    public HeaderReader? ResponseTrailers { get; init; }

    public object? Response { get; init; }

    public string? Method { get; init; }

    /// <summary>The request's target: path and query.</summary>
    public string? PathAndQuery { get; init; }

    public string? Authority { get; init; }

    public string? Scheme { get; init; }

    /// <summary>The version in which the request arrived.</summary>
    public Version? Protocol { get; init; }

    /// <summary>The version in which the upstream answered.</summary>
    public Version? UpstreamProtocol { get; init; }

    /// <summary>The connection that the request came in by; a request of this process came by none.</summary>
    public ConnectionFacts? Connection { get; init; }

    /// <summary>Who sent the request, as far as those who passed it on are believed.</summary>
    public IPAddress? RemoteAddress { get; init; }

    public RouteEntry? Route { get; init; }

    public string? VirtualHost { get; init; }

    public string? Cluster { get; init; }

    /// <summary>The cluster as statistics name it (<c>alt_stat_name</c>); <see langword="null"/> for its name.</summary>
    public string? ObservedCluster { get; init; }

    public Endpoint? Endpoint { get; init; }

    /// <summary>When the request began; now, where nobody has noted it.</summary>
    public DateTimeOffset? StartTime
    {
        get => _startTime ?? Record?.StartTime;
        init => _startTime = value;
    }

    public int? Status { get; init; }

    public string? ResponseFlags { get; init; }

    public string? ResponseCodeDetails { get; init; }

    public int? Attempts { get; init; }

    /// <summary>The body of a reply that the mesh makes itself.</summary>
    public string? LocalReplyBody { get; init; }

    /// <summary>What filters have left, by their namespaces; <see langword="null"/> when none has.</summary>
    public IReadOnlyDictionary<string, JsonObject>? Metadata { get; init; }

    /// <summary>The whole of the request, once it is over; <see langword="null"/> before.</summary>
    public RequestRecord? Record { get; init; }

    public TimeProvider Time { get; } = time;

    /// <summary>The first value of a request header, the request line's parts included.</summary>
    public string? RequestHeader(HeaderName name)
        => name.Pseudo switch
        {
            PseudoHeader.None => Request is null ? null : RequestHeaders?.First(Request, name),
            PseudoHeader.Path => PathAndQuery,
            PseudoHeader.Method => Method,
            PseudoHeader.Authority => Authority,
            _ => Scheme,
        };

    /// <summary>The first value of a response header.</summary>
    public string? ResponseHeader(HeaderName name)
        => name.Value == ":status"
            ? Status?.ToString(System.Globalization.CultureInfo.InvariantCulture)
            : Response is null ? null : ResponseHeaders?.First(Response, name);

    /// <summary>The first value of a response trailer.</summary>
    public string? ResponseTrailer(HeaderName name) => Response is null ? null : ResponseTrailers?.First(Response, name);
}
