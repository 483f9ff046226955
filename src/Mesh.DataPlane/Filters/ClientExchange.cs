using System.Diagnostics.CodeAnalysis;
using System.Net;
using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Redirects;
using Mesh.DataPlane.Upstream;
using Mesh.Filters;

namespace Mesh.DataPlane.Filters;

/// <summary>An exchange of the client door. Pooled; the caller gets the request message back as it was.</summary>
internal sealed class ClientExchange : EngineExchange
{
    private const int MaxPooled = 32;

    [ThreadStatic]
    private static Stack<ClientExchange>? _pool;

    private readonly RequestChanges _changes = new();
    private HttpRequestMessage? _request;
    private string? _flags;
    private string? _authority;
    private Clusters.Endpoint? _endpoint;

    private ClientExchange()
    {
    }

    /// <summary>The host that was asked for.</summary>
    public HostEntry Host { get; private set; } = null!;

    /// <summary>The host's state that the request is routed by; another virtual host of the same version when a filter has changed the authority.</summary>
    public HostState HostState
        => _authority is null || Decision.Host.Table is not { } table
            ? Decision.Host
            : Decision.Host with { VirtualHost = table.VirtualHosts.Find(_authority) };

    public HttpRequestMessage Request => _request!;

    public HttpResponseMessage? Response { get; set; }

    /// <summary>What is to be sent in place of the request, whose response was a redirect; the filters have no part in that response.</summary>
    public InternalRedirect? Redirect { get; set; }

    /// <summary>The request's one random draw.</summary>
    public ulong Draw { get; private set; }

    public Decision Decision { get; set; }

    /// <summary>What signals are made of.</summary>
    public Telemetry.RequestRecord? Record { get; private set; }

    /// <summary>What reading the request's own body has thrown: the caller's affair, and no filter's failure.</summary>
    public Exception? BodyFailure { get; private set; }

    public override RequestView View
        => new(Path, Method, Authority, Scheme, HttpRequestHeaderReader.Instance, Request) { Exchange = Exchange };

    public override FormatContext Format
        => new(Time)
        {
            RequestHeaders = HttpRequestHeaderReader.Instance,
            Request = Request,
            ResponseHeaders = HttpResponseHeaderReader.Instance,
            Response = Response,
            Method = Method,
            PathAndQuery = Path,
            Authority = Authority,
            Scheme = Scheme,
            Protocol = Request.Version,
            UpstreamProtocol = _endpoint is null ? null : Response?.Version,
            Route = Decision.Route,
            VirtualHost = Decision.Host.VirtualHost?.Name,
            Cluster = ClusterName,
            Endpoint = _endpoint,
            Status = Response is null ? null : StatusCode,
            ResponseFlags = Request.Options.TryGetValue(MeshRequest.ResponseFlags, out var flags) ? flags : _flags,
            ResponseCodeDetails = Request.Options.TryGetValue(MeshRequest.ResponseCodeDetails, out var details) ? details : Response is null ? null : "via_upstream",
        };

    public override string Method
    {
        get => Request.Method.Method;
        set
        {
            _changes.Save(Request);
            Request.Method = HttpMethod.Parse(value);
        }
    }

    public override string Path
    {
        get => Request.RequestUri!.PathAndQuery;
        set
        {
            _changes.Save(Request);

            // The framework would fold dots and escapes: what a filter writes is what is sent.
            var origin = Request.RequestUri!.GetLeftPart(UriPartial.Authority);
            Request.RequestUri = new Uri(origin + value, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        }
    }

    public override string Authority
    {
        get => _authority ?? Host.Authority;
        set
        {
            _changes.Save(Request);
            _authority = value;
            Request.Headers.Host = value;
        }
    }

    // A WebSocket is a request like any other to Envoy; .NET tells it by its URI.
    public override string Scheme
        => Request.RequestUri!.Scheme switch
        {
            "ws" => Uri.UriSchemeHttp,
            "wss" => Uri.UriSchemeHttps,
            var other => other,
        };

    public override int StatusCode
    {
        get => (int)(Response?.StatusCode ?? 0);
        set
        {
            var response = Response ?? throw new InvalidOperationException("There is no response yet; reply instead.");
            response.StatusCode = (HttpStatusCode)value;
            response.ReasonPhrase = null;
        }
    }

    public override bool IsLocalReply => Request.Options.TryGetValue(MeshRequest.ResponseCodeDetails, out var details) && details != "via_upstream";

    public override string? RouteName => Decision.Route?.Name;

    public override string? ClusterName => Decision.Cluster?.Name ?? Decision.ClusterHeader;

    public static ClientExchange Begin(HostEntry host, HttpRequestMessage request, ulong draw, in Decision decision, Telemetry.RequestRecord? record)
    {
        var exchange = _pool?.TryPop(out var pooled) == true ? pooled : new ClientExchange();
        exchange.Host = host;
        exchange._request = request;
        exchange.Draw = draw;
        exchange.Decision = decision;
        exchange.Record = record;
        if (record?.RequestId is { } id && !request.Headers.NonValidated.Contains(Telemetry.Tracing.RequestIds.Header))
        {
            // Filters see it, as they do in Envoy.
            exchange.AddHeader(HeaderSide.Request, Telemetry.Tracing.RequestIds.Header, id);
        }

        return exchange;
    }

    /// <summary>Gives the request back as it came, and the exchange to the next one.</summary>
    public void End()
    {
        if (Record is { } record)
        {
            ClientRecords.Settle(record, this);
            Record = null;
            record.Release();
        }

        _changes.Undo(Request);
        if (_flags is not null)
        {
            RequestOutcome.TellFlags(Request, FlagsOf(Request.Options.TryGetValue(MeshRequest.ResponseFlags, out var told) ? told : ""));
        }

        Exchange.Reset();
        (_request, Response, Redirect, _flags, _authority, BodyFailure) = (null, null, null, null, null, null);
        (OverrideHost, OverrideHostMissing, UpstreamAddress) = (null, null, null);
        Host = null!;
        _endpoint = null;
        Decision = default;
        _pool ??= new Stack<ClientExchange>();
        if (_pool.Count < MaxPooled)
        {
            _pool.Push(this);
        }
    }

    /// <summary>Takes note of where the last attempt went; a strict session whose endpoint may not be picked has its own status.</summary>
    public void OnAttempted(ref Attempt attempt)
    {
        _endpoint = attempt.Decision.Endpoint;
        UpstreamAddress = _endpoint?.ToString();
        if (OverrideHost is not null && OverrideHostMissing is { } status && attempt.Reply == LocalReply.NoHealthyUpstream)
        {
            attempt = attempt with { Reply = LocalReply.NoHealthyUpstream with { Status = status } };
        }
    }

    /// <summary>Flags, and those that filters have set.</summary>
    public string FlagsOf(string told)
        => _flags is null ? told : told.Length > 0 ? string.Join(',', _flags.Split(',').Union(told.Split(','))) : _flags;

    /// <summary>A reply with the flags that filters have set before.</summary>
    public LocalReply Flag(LocalReply reply)
        => _flags is null ? reply : reply with { Flags = reply.Flags.Length > 0 ? $"{_flags},{reply.Flags}" : _flags };

    /// <summary>Makes the response that a filter wants in place of the upstream's.</summary>
    public void Reply(FilterReply reply, IFilterTerminal terminal)
    {
        var local = Flag(LocalReply.Of(reply));
        terminal.OnReplied(this, local);
        Response?.Dispose();
        Exchange.SentReply = reply;
        Response = LocalReplies.Create(local, Request);
    }

    public override bool TryGetHeader(HeaderSide side, string name, [NotNullWhen(true)] out string? value)
    {
        if (name[0] == ':' || name.Equals("host", StringComparison.OrdinalIgnoreCase))
        {
            value = (side, name.ToLowerInvariant()) switch
            {
                (HeaderSide.Request, ":path") => Path,
                (HeaderSide.Request, ":method") => Method,
                (HeaderSide.Request, ":authority" or "host") => Authority,
                (HeaderSide.Request, ":scheme") => Scheme,
                (HeaderSide.Response, ":status") when Response is not null => StatusCode.ToString(System.Globalization.CultureInfo.InvariantCulture),
                _ => null,
            };
            return value is not null;
        }

        if (MessageHeaders.Of(side, Request, Response, name, create: false) is { } headers && headers.NonValidated.TryGetValues(name, out var values))
        {
            value = values.ToString();
            return true;
        }

        value = null;
        return false;
    }

    public override void AddHeader(HeaderSide side, string name, string value)
    {
        if (side == HeaderSide.Request)
        {
            if (name.Equals("host", StringComparison.OrdinalIgnoreCase))
            {
                Authority = value;
                return;
            }

            _changes.Save(Request, name);
        }

        // The framework takes any name and value here that could be sent at all.
        MessageHeaders.Of(side, Request, Response, name, create: true)?.TryAddWithoutValidation(name, value);
    }

    public override bool RemoveHeader(HeaderSide side, string name)
    {
        if (side == HeaderSide.Request)
        {
            _changes.Save(Request, name);
        }

        return MessageHeaders.Of(side, Request, Response, name, create: false)?.Remove(name) == true;
    }

    public override void CopyHeaders(HeaderSide side, ICollection<KeyValuePair<string, string>> headers)
    {
        var (own, content) = side == HeaderSide.Request
            ? ((System.Net.Http.Headers.HttpHeaders?)Request.Headers, Request.Content)
            : (Response?.Headers, Response?.Content);
        Copy(own);
        Copy(content?.Headers);

        void Copy(System.Net.Http.Headers.HttpHeaders? source)
        {
            if (source is null)
            {
                return;
            }

            foreach (var (name, values) in source.NonValidated)
            {
                foreach (var value in values)
                {
                    headers.Add(new KeyValuePair<string, string>(name, value));
                }
            }
        }
    }

    public override void AddFlag(string flag) => _flags = _flags is null ? flag : $"{_flags},{flag}";

    public override async ValueTask<ReadOnlyMemory<byte>?> BufferAsync(HeaderSide side, int maxBytes, CancellationToken cancellationToken)
    {
        if (!await LoadAsync(side, maxBytes, cancellationToken).ConfigureAwait(false))
        {
            return null;
        }

        var content = side == HeaderSide.Request ? Request.Content : Response?.Content;
        return content is null ? ReadOnlyMemory<byte>.Empty : await content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
    }

    public override async ValueTask<bool> LoadAsync(HeaderSide side, long maxBytes, CancellationToken cancellationToken)
    {
        var content = side == HeaderSide.Request ? Request.Content : Response?.Content;
        if (content is null)
        {
            return true;
        }

        if (content.Headers.ContentLength > maxBytes)
        {
            return false;
        }

        try
        {
            await content.LoadIntoBufferAsync(maxBytes, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded)
        {
            return false;
        }
        catch (Exception e) when (side == HeaderSide.Request)
        {
            BodyFailure = e;
            throw;
        }
    }

    public override async ValueTask<(ReadOnlyMemory<byte> Bytes, bool IsWhole)> PeekRequestAsync(int maxBytes, CancellationToken cancellationToken)
    {
        if (Request.Content is not { } content)
        {
            return (ReadOnlyMemory<byte>.Empty, true);
        }

        if (content is not StreamContent)
        {
            // Whatever is no stream can be kept as a whole, and is in memory mostly anyway.
            return await base.PeekRequestAsync(maxBytes, cancellationToken).ConfigureAwait(false);
        }

        try
        {
            _changes.Save(Request);
            var peeked = await PeekedContent.OfAsync(content, maxBytes, cancellationToken).ConfigureAwait(false);
            Request.Content = peeked;
            return (peeked.Beginning, peeked.IsWhole);
        }
        catch (Exception e)
        {
            BodyFailure = e;
            throw;
        }
    }

    public override void TransformResponseBody(Func<Stream, Stream> transform, Action ended)
    {
        if (Response is { } response)
        {
            response.Content = new TransformedContent(response.Content, transform, ended);
        }
    }
}
