using System.Text.Json.Nodes;

namespace Mesh.Filters;

/// <summary>
/// A request and its response as filters see them, whatever door it came through. Not for use by two threads at once, nor after the exchange has
/// ended: the object is used again.
/// </summary>
public sealed class HttpExchange
{
    private readonly HttpExchangeAdapter _adapter;
    private object?[] _states = [];
    private Dictionary<string, JsonObject>? _metadata;
    private string? _sharedName;
    private JsonObject? _shared;
    private bool _isLent;

    internal HttpExchange(HttpExchangeAdapter adapter)
    {
        _adapter = adapter;
        RequestHeaders = new HttpExchangeHeaders(adapter, HeaderSide.Request);
        ResponseHeaders = new HttpExchangeHeaders(adapter, HeaderSide.Response);
    }

    /// <summary>The request's headers, those of its body included.</summary>
    public HttpExchangeHeaders RequestHeaders { get; }

    /// <summary>The response's headers, those of its body included; empty while there is no response.</summary>
    public HttpExchangeHeaders ResponseHeaders { get; }

    /// <summary>The method.</summary>
    /// <exception cref="ArgumentException">The value set is no token.</exception>
    public string Method
    {
        get => _adapter.Method;
        set => _adapter.Method = HeaderSyntax.IsToken(value) ? value : throw new ArgumentException($"'{value}' is not an HTTP method.", nameof(value));
    }

    /// <summary>The path with the query, as it is sent. Setting it does not route anew; <see cref="ClearRouteCache"/> does.</summary>
    /// <exception cref="ArgumentException">The value set does not begin with <c>/</c>, or has characters that no request line may have.</exception>
    public string Path
    {
        get => _adapter.Path;
        set => _adapter.Path = HeaderSyntax.IsTarget(value) ? value : throw new ArgumentException($"'{value}' is not a path that can be sent.", nameof(value));
    }

    /// <summary>The authority: the host, with the port unless it is the default. Setting it does not route anew; <see cref="ClearRouteCache"/> does.</summary>
    /// <exception cref="ArgumentException">The value set is not a host with an optional port.</exception>
    public string Authority
    {
        get => _adapter.Authority;
        set => _adapter.Authority = HeaderSyntax.IsAuthority(value) ? value : throw new ArgumentException($"'{value}' is not an authority.", nameof(value));
    }

    /// <summary><c>http</c> or <c>https</c>.</summary>
    public string Scheme => _adapter.Scheme;

    /// <summary>The response's status; 0 while there is no response.</summary>
    /// <exception cref="InvalidOperationException">It is set while there is no response.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The value set is not in 200 to 599.</exception>
    public int StatusCode
    {
        get => _adapter.StatusCode;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 200);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 599);
            _adapter.StatusCode = value;
        }
    }

    /// <summary>The name of the route in force; <see langword="null"/> when no route matches.</summary>
    public string? RouteName => _adapter.RouteName;

    /// <summary>The cluster that the request will go to; <see langword="null"/> when the route leads to none.</summary>
    public string? ClusterName => _adapter.ClusterName;

    /// <summary>Dynamic metadata: objects by namespace, in which filters leave word for each other.</summary>
    public IDictionary<string, JsonObject> Metadata
    {
        get
        {
            _metadata ??= new Dictionary<string, JsonObject>(StringComparer.Ordinal);
            if (_shared is not null)
            {
                // Whoever gets the dictionary may change what is in it, and this request shares it with others.
                _metadata[_sharedName!] = (JsonObject)_shared.DeepClone();
                (_sharedName, _shared) = (null, null);
            }

            return _metadata;
        }
    }

    /// <summary>What the running filter keeps for this request; each filter of the chain has its own.</summary>
    public object? State
    {
        get => _states[Position];
        set => _states[Position] = value;
    }

    /// <summary>Some filter has answered, or the mesh has: there is no response of an upstream.</summary>
    public bool IsReplied => PendingReply is not null || SentReply is not null || _adapter.IsLocalReply;

    internal HttpExchangeAdapter Adapter => _adapter;

    /// <summary>The running filter's place in the listener's list.</summary>
    internal int Position { get; set; }

    internal FilterReply? PendingReply { get; set; }

    /// <summary>The reply that the response was made from.</summary>
    internal FilterReply? SentReply { get; set; }

    internal bool IsRouteCleared { get; set; }

    internal bool HasMetadata => _metadata is { Count: > 0 } || _shared is not null;

    /// <summary>
    /// Answers the request. In the request phase nothing is sent and the remaining filters are not asked; in the response phase the upstream's
    /// response is dropped.
    /// </summary>
    /// <param name="reply">The answer.</param>
    /// <exception cref="ArgumentException">Its status is out of range, or a header is none.</exception>
    public void Reply(FilterReply reply)
    {
        ArgumentNullException.ThrowIfNull(reply);
        if (reply.Status is < 200 or > 599)
        {
            throw new ArgumentException($"A reply has a status from 200 to 599, not {reply.Status}.", nameof(reply));
        }

        foreach (var (name, value) in reply.Headers)
        {
            HeaderSyntax.Check(name, value);
        }

        PendingReply = reply;
    }

    /// <inheritdoc cref="Reply(FilterReply)"/>
    /// <param name="status">The HTTP status.</param>
    /// <param name="body">The body, as <c>text/plain</c>.</param>
    public void Reply(int status, string body = "") => Reply(new FilterReply(status) { Body = body });

    /// <summary>
    /// Lets the request be matched again when the running filter is done, as it looks then; the rest of the chain is the new route's. Has no effect
    /// in the response phase.
    /// </summary>
    public void ClearRouteCache() => IsRouteCleared = true;

    /// <summary>Adds one of Envoy's response flags, as <c>MeshRequest.ResponseFlags</c> and logs show them.</summary>
    /// <param name="flag">The flag: <c>DI</c>.</param>
    public void AddResponseFlag(string flag)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(flag);
        _adapter.AddFlag(flag);
    }

    /// <summary>Reads the whole body of the request, which can be sent nevertheless.</summary>
    /// <param name="maxBytes">The most that is kept in memory.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The body; <see langword="null"/> when it is longer than that, and then the request cannot be sent any more: reply 413.</returns>
    public ValueTask<ReadOnlyMemory<byte>?> BufferRequestBodyAsync(int maxBytes, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxBytes);
        return _adapter.BufferAsync(HeaderSide.Request, maxBytes, cancellationToken);
    }

    /// <summary>Reads the whole body of the response, which the caller gets nevertheless.</summary>
    /// <param name="maxBytes">The most that is kept in memory.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The body; <see langword="null"/> when it is longer than that, and then the caller cannot get it any more: reply 500.</returns>
    public ValueTask<ReadOnlyMemory<byte>?> BufferResponseBodyAsync(int maxBytes, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxBytes);
        return _adapter.BufferAsync(HeaderSide.Response, maxBytes, cancellationToken);
    }

    /// <summary>Leaves an object that other requests have too, and that nobody changes.</summary>
    /// <returns><see langword="false"/> when there is metadata already, beside which it cannot stand.</returns>
    internal bool TryShareMetadata(string name, JsonObject metadata)
    {
        if (HasMetadata)
        {
            return false;
        }

        (_sharedName, _shared) = (name, metadata);
        return true;
    }

    /// <summary>Looks at what a namespace has, for those who change nothing.</summary>
    internal JsonObject? ReadMetadata(string name)
        => _shared is not null && _sharedName == name ? _shared
            : _metadata is not null && _metadata.TryGetValue(name, out var metadata) ? metadata
            : null;

    /// <summary>All that has been left, for those who look at it when the exchange has ended: it is theirs then. <see langword="null"/> for nothing.</summary>
    internal IReadOnlyDictionary<string, JsonObject>? LendMetadata()
    {
        if (_shared is not null)
        {
            return new Dictionary<string, JsonObject>(StringComparer.Ordinal) { [_sharedName!] = _shared };
        }

        _isLent = _metadata is { Count: > 0 };
        return _isLent ? _metadata : null;
    }

    internal bool IsReplyOf(FilterReply reply) => ReferenceEquals(SentReply, reply);

    internal void Begin(int filters)
    {
        if (_states.Length < filters)
        {
            _states = new object?[filters];
        }
    }

    internal void Reset()
    {
        Array.Clear(_states);
        if (_isLent)
        {
            (_isLent, _metadata) = (false, null);
        }

        _metadata?.Clear();
        (_sharedName, _shared) = (null, null);
        PendingReply = null;
        SentReply = null;
        IsRouteCleared = false;
        Position = 0;
    }
}
