using System.Diagnostics;
using System.Text.Json.Nodes;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Retry;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Telemetry.Peers;
using Mesh.DataPlane.Telemetry.Tracing;
using Mesh.DataPlane.Upstream;

namespace Mesh.DataPlane.Telemetry;

/// <summary>
/// What all signals of one request are made of, from its beginning to the end of its response. Pooled; whoever owns it ends it exactly once. The doors
/// fill it in, each sink reads what it needs.
/// </summary>
internal sealed class RequestRecord
{
    private const int MaxPooled = 64;

    // Nobody retries more often than that.
    private const int MaxTried = 32;

    [ThreadStatic]
    private static RequestRecord?[]? _pool;

    [ThreadStatic]
    private static int _pooled;

    private readonly Endpoint?[] _tried = new Endpoint?[MaxTried];
    private int _triedCount;
    private int _holders;
    private string? _uniqueId;

    private RequestRecord()
    {
    }

    public RequestSignals Signals { get; private set; } = null!;

    public Reporter Reporter => Signals.Reporter;

    public TimeProvider Time => Signals.Time;

    // When. Timestamps of the injected clock; zero for what has not happened.

    /// <summary>The request was there.</summary>
    public long Began { get; private set; }

    /// <summary>Its last byte was there, or had been sent.</summary>
    public long RequestEnded { get; set; }

    /// <summary>The last attempt was about to be sent.</summary>
    public long UpstreamBegan { get; set; }

    /// <summary>The response's headers were there.</summary>
    public long ResponseBegan { get; set; }

    /// <summary>All is over.</summary>
    public long Ended { get; private set; }

    /// <summary>The whole of it; so far, while it is not over.</summary>
    public TimeSpan Duration => Ended == 0 ? Time.GetElapsedTime(Began) : Time.GetElapsedTime(Began, Ended);

    /// <summary>When the request began, by the wall clock.</summary>
    public DateTimeOffset StartTime => Time.GetUtcNow() - Duration;

    // The request as it came.

    public string Method { get; set; } = "";

    /// <summary>Path and query.</summary>
    public string Path { get; set; } = "";

    public string Authority { get; set; } = "";

    public string Scheme { get; set; } = "";

    public Version? Protocol { get; set; }

    public bool IsGrpc { get; set; }

    /// <summary><c>x-request-id</c>.</summary>
    public string? RequestId { get; set; }

    /// <summary>Bytes of the body, as far as it came or was sent.</summary>
    public long RequestBytes { get; set; }

    /// <summary>The client's door: the body on its way, which counts itself.</summary>
    public OutgoingBody? Body { get; set; }

    /// <summary>Messages of a gRPC request.</summary>
    public long RequestMessages { get; set; }

    /// <summary>The door's own message and how its headers are read: <see cref="HttpRequestMessage"/>, or the server's context.</summary>
    public object? Request { get; set; }

    public HeaderReader? RequestHeaders { get; set; }

    /// <summary>The connection that the request came in by; <see langword="null"/> in the client's door.</summary>
    public ConnectionFacts? Connection { get; set; }

    /// <summary>Who sent it, as far as those who passed it on are believed; <see langword="null"/> in the client's door.</summary>
    public System.Net.IPAddress? RemoteAddress { get; set; }

    /// <summary>The server's door: who sent it, as far as it has been told and the teller is believed.</summary>
    public Peer? Peer { get; set; }

    // Where it went.

    public string? VirtualHost { get; set; }

    public RouteEntry? Route { get; set; }

    /// <summary>The client's door: the cluster that was chosen.</summary>
    public Cluster? Cluster { get; set; }

    /// <summary>The cluster's name, in both doors.</summary>
    public string? ClusterName { get; set; }

    /// <summary>The cluster as statistics name it (<c>alt_stat_name</c>).</summary>
    public string? ObservedCluster => Cluster?.StatName ?? ClusterName;

    /// <summary>The client's door: the endpoint of the last attempt.</summary>
    public Endpoint? Endpoint { get; set; }

    /// <summary>The client's door: the endpoints that it was sent to, in turn; no more than a bounded number.</summary>
    public ReadOnlySpan<Endpoint?> Tried => _tried.AsSpan(0, Math.Min(Volatile.Read(ref _triedCount), MaxTried));

    /// <summary>How often it was sent.</summary>
    public int Attempts { get; set; }

    // How it came out.

    /// <summary>0 when there is no response: the caller has left.</summary>
    public int Status { get; set; }

    /// <summary>Envoy's response flags, several with commas between; empty for none.</summary>
    public string Flags { get; set; } = "";

    /// <summary><c>via_upstream</c>, or why the mesh answered itself.</summary>
    public string Details { get; set; } = "";

    /// <summary>Of a gRPC response; negative when it has none.</summary>
    public int GrpcStatus { get; set; }

    public Version? UpstreamProtocol { get; set; }

    /// <summary>Bytes of the response's body, as far as they were read or sent.</summary>
    public long ResponseBytes { get; set; }

    /// <summary>Messages of a gRPC response.</summary>
    public long ResponseMessages { get; set; }

    /// <summary>The door's own response, and how its headers are read.</summary>
    public object? Response { get; set; }

    public HeaderReader? ResponseHeaders { get; set; }

    public HeaderReader? ResponseTrailers { get; set; }

    /// <summary>Why a connection could not be made or was lost; <see langword="null"/> when none was.</summary>
    public string? TransportFailure { get; set; }

    /// <summary>Why the connection that came in could not be secured; <see langword="null"/> when it was.</summary>
    public string? DownstreamTransportFailure { get; set; }

    /// <summary>The dynamic metadata that filters have left, by their namespaces; <see langword="null"/> when none has.</summary>
    public IReadOnlyDictionary<string, JsonObject>? Metadata { get; set; }

    /// <summary>It is a connection that is carried as it is, and no request.</summary>
    public bool IsConnection { get; set; }

    /// <summary>Why the mesh has ended the connection; <see langword="null"/> when it has not.</summary>
    public string? TerminationDetails { get; set; }

    /// <summary>This end of the connection to the upstream, where it is known: of connections that are carried as they are.</summary>
    public System.Net.IPEndPoint? UpstreamLocal { get; set; }

    /// <summary>The connection to the upstream, where it is known: of connections that are carried as they are.</summary>
    public ConnectionFacts? Upstream { get; set; }

    /// <summary>An id for this one; made when it is asked for.</summary>
    public string UniqueId => _uniqueId ??= Guid.NewGuid().ToString();

    /// <summary>The span of the request; <see langword="null"/> when it is in no trace that anybody records.</summary>
    public Activity? Span { get; set; }

    /// <summary>The client's door: the trace that the request belongs to, recorded or not; default when it belongs to none that has begun elsewhere.</summary>
    public ActivityContext Trace { get; set; }

    /// <summary>The client's door: the trace that begins with this request and that nobody records, as W3C writes it.</summary>
    public string? UnrecordedTrace { get; set; }

    /// <summary>In which headers the request told of a trace.</summary>
    public ContextFormats TraceFormats { get; set; }

    /// <summary>The server's door: nobody but the tracer has made the span, and nobody else ends it.</summary>
    public bool OwnsSpan { get; set; }

    /// <summary>The headers that access logs tell of, as they were at the beginning; <see cref="AccessLogs.CapturedHeaders"/> knows which they are.</summary>
    public string?[] Captured { get; private set; } = [];

    /// <summary>What substitutions may tell of it.</summary>
    public FormatContext Format => FormatWith(RequestHeaders, Request);

    /// <summary>The same, with headers of the request that are read elsewhere.</summary>
    public FormatContext FormatWith(HeaderReader? requestHeaders, object? request)
        => new(Time)
        {
            Record = this,
            RequestHeaders = requestHeaders,
            Request = request,
            ResponseHeaders = ResponseHeaders,
            ResponseTrailers = ResponseTrailers,
            Response = Response,
            Method = IsConnection ? null : Method,
            PathAndQuery = IsConnection ? null : Path,
            Authority = IsConnection ? null : Authority,
            Scheme = IsConnection ? null : Scheme,
            Protocol = Protocol,
            UpstreamProtocol = UpstreamProtocol,
            Connection = Connection,
            RemoteAddress = RemoteAddress,
            Route = Route,
            VirtualHost = VirtualHost,
            Cluster = ClusterName,
            ObservedCluster = ObservedCluster,
            Endpoint = Endpoint,
            Status = Status,
            ResponseFlags = Flags,
            ResponseCodeDetails = Details.Length > 0 ? Details : null,
            Attempts = Attempts,
            Metadata = Metadata,
        };

    /// <param name="signals">What becomes of it.</param>
    /// <param name="began">When it began, by the signals' clock; <see langword="null"/> for now.</param>
    public static RequestRecord Rent(RequestSignals signals, long? began = null)
    {
        RequestRecord record;
        if (_pooled > 0)
        {
            record = _pool![--_pooled]!;
            _pool[_pooled] = null;
        }
        else
        {
            record = new RequestRecord();
        }

        record.Signals = signals;
        record.Began = began ?? signals.Time.GetTimestamp();
        record.GrpcStatus = -1;
        record._holders = 1;
        return record;
    }

    /// <summary>It is about to be sent to an endpoint; by whomever, two at a time where attempts overlap.</summary>
    public void Try(Endpoint endpoint)
    {
        var place = Interlocked.Increment(ref _triedCount) - 1;
        if (place < MaxTried)
        {
            _tried[place] = endpoint;
        }
    }

    /// <summary>Room for <see cref="Captured"/>.</summary>
    public Span<string?> Capture(int headers)
    {
        if (Captured.Length < headers)
        {
            Captured = new string?[headers];
        }

        return Captured.AsSpan(0, headers);
    }

    /// <summary>Tracer and sinks have been told of it.</summary>
    public bool HasBegun { get; private set; }

    /// <summary>The request's parts are known: tracer and sinks may look at it.</summary>
    public void Begin()
    {
        HasBegun = true;
        Signals.Tracer?.OnBegin(this);
        foreach (var sink in Signals.Sinks)
        {
            sink.OnBegin(this);
        }
    }

    /// <summary>Somebody else has a part in it as well, and releases it.</summary>
    public void Hold() => Interlocked.Increment(ref _holders);

    /// <summary>Whoever holds it lets go, and must not touch it afterwards. The last one ends it: everybody is told, and it is the next request's.</summary>
    public void Release()
    {
        if (Volatile.Read(ref _holders) == 1 || Interlocked.Decrement(ref _holders) == 0)
        {
            End();
        }
    }

    private void End()
    {
        if (Body is { } body)
        {
            (RequestBytes, RequestMessages, RequestEnded) = (body.Bytes, body.Messages, body.Ended);
        }

        if (IsGrpc && GrpcStatus < 0 && Response is HttpResponseMessage response)
        {
            GrpcStatus = ClientRecords.GrpcStatusOf(response);
        }

        Ended = Time.GetTimestamp();
        Signals.Tracer?.OnEnd(this);
        foreach (var sink in Signals.Sinks)
        {
            sink.OnEnd(this);
        }

        Return();
    }

    private void Return()
    {
        (RequestEnded, UpstreamBegan, ResponseBegan, Ended) = (0, 0, 0, 0);
        (RequestBytes, RequestMessages, ResponseBytes, ResponseMessages) = (0, 0, 0, 0);
        (Method, Path, Authority, Scheme, Flags, Details) = ("", "", "", "", "", "");
        (Protocol, UpstreamProtocol, IsGrpc, RequestId, Status, Attempts) = (null, null, false, null, 0, 0);
        (Request, RequestHeaders, Response, ResponseHeaders, ResponseTrailers) = (null, null, null, null, null);
        (Connection, RemoteAddress, VirtualHost, Route, Cluster, ClusterName, Endpoint) = (null, null, null, null, null, null, null);
        (TransportFailure, DownstreamTransportFailure, Metadata, Span, Body, Peer) = (null, null, null, null, null, null);
        (IsConnection, TerminationDetails, UpstreamLocal, Upstream, _uniqueId) = (false, null, null, null, null);
        _tried.AsSpan(0, Math.Min(_triedCount, MaxTried)).Clear();
        _triedCount = 0;
        HasBegun = false;
        (Trace, UnrecordedTrace, TraceFormats, OwnsSpan) = (default, null, ContextFormats.Process, false);
        Array.Clear(Captured);
        Signals = null!;
        if (_pooled < MaxPooled)
        {
            (_pool ??= new RequestRecord?[MaxPooled])[_pooled++] = this;
        }
    }
}
