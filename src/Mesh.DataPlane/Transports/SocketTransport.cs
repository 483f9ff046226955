using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Runtime.CompilerServices;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.LoadReporting;
using Mesh.DataPlane.Telemetry.Peers;
using Mesh.DataPlane.Tls;
using Mesh.DataPlane.Upstream;
using Mesh.Xds.Validation;

namespace Mesh.DataPlane.Transports;

/// <summary>
/// One endpoint's own handlers and pools: whatever host a request names, connections go to this address, and the Host header, authority and
/// server name are the caller's. <see cref="SocketsHttpHandler"/> keeps a pool for each host and port of a URI, though; so the first authority
/// it sees stands for all where the host is no matter to connections, and only requests that name another one pay for another URI.
/// </summary>
internal sealed class SocketTransport : IEndpointTransport
{
    private static readonly UriCreationOptions Verbatim = new() { DangerousDisablePathAndQueryCanonicalization = true };

    private readonly HttpMessageInvoker _invoker;
    private readonly TransportSettings _settings;
    private readonly EndpointDialer _dialer;
    private readonly SecureConnections _secure;
    private readonly TimeProvider _time;
    private readonly string? _hostname;
    private readonly Lock _create = new();
    private readonly ConditionalWeakTable<CallerTls, HttpMessageInvoker> _otherCallersTls = [];
    private HttpMessageInvoker? _callersTls;
    private HttpMessageInvoker? _byRequest;
    private PoolAuthority? _authority;
    private bool _disposed;

    /// <param name="address">Where it is.</param>
    /// <param name="hostname">Its name, if it has one.</param>
    /// <param name="settings">How connections are made.</param>
    /// <param name="stats">Where they are counted.</param>
    /// <param name="time">The clock.</param>
    /// <param name="load">Where they are counted for reports of load.</param>
    public SocketTransport(EndPoint address, string? hostname, TransportSettings settings, ClusterStats stats, TimeProvider time, EndpointLoad? load = null)
    {
        _settings = settings;
        _hostname = hostname;
        _time = time;
        _dialer = new EndpointDialer(address, settings, stats, time) { Open = new OpenConnections { Load = load ?? EndpointLoad.Unreported } };
        _secure = new SecureConnections(time);
        _invoker = EndpointHandler.Create(settings, (context, cancellationToken) => ConnectAsync(context, Introductions, cancellationToken));
    }

    /// <summary>How the endpoint is told who calls; <see langword="null"/> where connections do not begin with it.</summary>
    public Introductions? Introductions { private get; init; }

    /// <summary>Decides how long connections last that must not last for ever.</summary>
    public required IRandomSource Random { get; init; }

    /// <summary>Who tells why there is no TLS.</summary>
    public required TlsRefusals Refusals { get; init; }

    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        return _settings.MaxHeadersCount is { } headers ? SendLimitedAsync(request, headers, cancellationToken) : SendUnlimitedAsync(request, cancellationToken);
    }

    public bool Introduces(HttpRequestMessage request)
        => Introductions is { AreByConnection: true } && Volatile.Read(ref _byRequest) is null && AlpnOffer.Introduced(_settings.Protocol, request) is not null;

    public ValueTask<Stream> ConnectAsync(string host, CancellationToken cancellationToken)
    {
        if (_settings.Tls is not { } tls)
        {
            return _dialer.DialAsync(countsRequests: false, secure: null, cancellationToken);
        }

        return _dialer.DialAsync(
            countsRequests: false,
            async (stream, token) =>
            {
                await SecureAsync(stream, tls, host, AlpnOffer.OfBytes(tls), token).ConfigureAwait(false);
                return stream;
            },
            cancellationToken);
    }

    public bool HasConnections => _dialer.Open.Any;

    public int ActiveConnections => _dialer.Open.Count;
    public Principals? Principals { get; private set; }

    public bool IsTrusted() => _secure.AreTrusted();

    public void Dispose()
    {
        lock (_create)
        {
            _disposed = true;
            _invoker.Dispose();
            _byRequest?.Dispose();
            _callersTls?.Dispose();
            foreach (var (_, other) in _otherCallersTls)
            {
                other.Dispose();
            }
        }
    }

    private static int HeaderLines(HttpHeaders headers)
    {
        var lines = 0;
        foreach (var (_, values) in headers.NonValidated)
        {
            lines += values.Count;
        }

        return lines;
    }

    private async Task<HttpResponseMessage> SendLimitedAsync(HttpRequestMessage request, uint maxHeaders, CancellationToken cancellationToken)
    {
        var response = await SendUnlimitedAsync(request, cancellationToken).ConfigureAwait(false);
        if (HeaderLines(response.Headers) + HeaderLines(response.Content.Headers) <= maxHeaders)
        {
            return response;
        }

        response.Dispose();
        throw new HttpRequestException(HttpRequestError.ConfigurationLimitExceeded, $"The response has more headers than the cluster's max_headers_count of {maxHeaders}.");
    }

    private Task<HttpResponseMessage> SendUnlimitedAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var uri = request.RequestUri!;
        var isSecure = RequestScheme.IsSecure(uri);
        var invoker = isSecure ? CallersTls(CallerTls.Of(request)) : Pools(request);
        var pool = isSecure ? SecurePool(request, uri) : _settings.Tls is { } tls ? OriginatedPool(request, uri, tls) : ClearTextPool(uri);
        return pool is null && !WillBeChunked(request)
            ? invoker.SendAsync(request, cancellationToken)
            : SendAndRestoreAsync(invoker, pool, request, uri, cancellationToken);
    }

    // Where both are, each request goes where what it says, or leaves out, is right; whatever it was told when it was made.
    private HttpMessageInvoker Pools(HttpRequestMessage request)
        => Volatile.Read(ref _byRequest) is { } byRequest && request.Headers.NonValidated.Contains(PeerMetadata.Header) ? byRequest : _invoker;

    private HttpMessageInvoker CallersTls(CallerTls tls)
    {
        if (ReferenceEquals(tls, CallerTls.Default) ? Volatile.Read(ref _callersTls) is { } invoker : _otherCallersTls.TryGetValue(tls, out invoker))
        {
            return invoker;
        }

        lock (_create)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);

            // A client's settings go when the client does, and their connections with them.
            return ReferenceEquals(tls, CallerTls.Default)
                ? _callersTls ??= CreateHandler(CallerTls.Default)
                : _otherCallersTls.GetValue(tls, CreateHandler);
        }
    }

    /// <summary>Where the request's connection is to be found, if not by its own URI.</summary>
    private PoolAuthority? ClearTextPool(Uri uri)
    {
        var authority = Canonical(uri, "http");
        return uri.Port == authority.Port && UriHost.Of(uri) == authority.Host ? null : authority;
    }

    // HTTP/2's :scheme is the URI's, and servers hold it against the connection; those of the mesh know that it is the application's.
    private PoolAuthority? OriginatedPool(HttpRequestMessage request, Uri uri, UpstreamTls tls)
    {
        var scheme = request.Version.Major >= 2 && !AlpnOffer.IsByPriorKnowledge(tls, request) ? "https" : "http";
        if (!tls.DependsOnRequest)
        {
            var authority = Canonical(uri, scheme);
            return scheme == "http" && uri.Port == authority.Port && UriHost.Of(uri) == authority.Host ? null : authority with { Scheme = scheme };
        }

        var host = tls.ServerNameHeader is { } header && request.Headers.NonValidated.TryGetValues(header.Value, out var values) && values.ToString() is { Length: > 0 } named
            ? named
            : RequestHost.Of(request, uri);
        return scheme == "http" && UriHost.Of(uri) == host ? null : new PoolAuthority(scheme, host, uri.Port);
    }

    // The host of a secure request is a server name of its own, be it that of its Host header, as with HttpClient.
    private static PoolAuthority? SecurePool(HttpRequestMessage request, Uri uri)
    {
        var host = RequestHost.BeforeRoute(request, uri);
        return UriHost.Of(uri) == host ? null : new PoolAuthority("https", host, uri.Port);
    }

    private PoolAuthority Canonical(Uri uri, string scheme)
    {
        if (Volatile.Read(ref _authority) is { } authority)
        {
            return authority;
        }

        var first = new PoolAuthority(scheme, UriHost.Of(uri), uri.Port);
        return Interlocked.CompareExchange(ref _authority, first, null) ?? first;
    }

    // The handler marks such messages by a header of theirs, which would still be there when the caller looks.
    private static bool WillBeChunked(HttpRequestMessage request)
        => request.Content is { Headers.ContentLength: null } && !request.Headers.NonValidated.Contains("Transfer-Encoding");

    private static async Task<HttpResponseMessage> SendAndRestoreAsync(
        HttpMessageInvoker invoker, PoolAuthority? pool, HttpRequestMessage request, Uri uri, CancellationToken cancellationToken)
    {
        var host = request.Headers.Host;
        var willBeChunked = WillBeChunked(request);
        if (pool is not null)
        {
            request.Headers.Host = host ?? RequestTarget.AuthorityOf(request);

            // The target goes over the wire byte by byte as the caller's would have.
            request.RequestUri = new Uri(pool.Prefix + uri.PathAndQuery, Verbatim);
        }

        try
        {
            return await invoker.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (pool is not null)
            {
                request.RequestUri = uri;
                request.Headers.Host = host;
            }

            if (willBeChunked)
            {
                request.Headers.TransferEncodingChunked = null;
            }
        }
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, Introductions? introductions, CancellationToken cancellationToken)
    {
        if (_settings.Tls is not { } tls)
        {
            return await _dialer.DialAsync(countsRequests: true, secure: null, cancellationToken).ConfigureAwait(false);
        }

        var request = context.InitialRequestMessage;
        var protocols = AlpnOffer.Of(tls, _settings.Protocol, request);
        var introduced = introductions is null ? null : AlpnOffer.Introduced(_settings.Protocol, request);
        if (introduced is not null)
        {
            protocols = [introduced, .. protocols];
        }

        var isByPriorKnowledge = AlpnOffer.IsByPriorKnowledge(tls, request);
        var host = context.DnsEndPoint.Host;
        var isUsable = true;
        var connection = await _dialer.DialAsync(
            countsRequests: true,
            async (stream, token) =>
            {
                var session = await SecureAsync(stream, tls, host, protocols, token).ConfigureAwait(false);
                isUsable = introduced is null || await introductions!.IntroduceAsync(stream, token).ConfigureAwait(false);
                if (tls.IsMesh && session.Expires is { } expires)
                {
                    stream.EndAfter(CertificateAge.Until(expires, _time, Random), isByPriorKnowledge || stream.NegotiatedApplicationProtocol == SslApplicationProtocol.Http2, _time);
                }

                return stream;
            },
            cancellationToken).ConfigureAwait(false);
        if (isUsable)
        {
            return connection;
        }

        await connection.DisposeAsync().ConfigureAwait(false);
        TellByRequest();
        throw new UnintroducedException();
    }

    // Its pools are its own: what is in the others may be waited for by requests that do not say it.
    private void TellByRequest()
    {
        lock (_create)
        {
            if (!_disposed)
            {
                _byRequest ??= EndpointHandler.Create(_settings, (context, cancellationToken) => ConnectAsync(context, introductions: null, cancellationToken));
            }
        }
    }

    private async ValueTask<TlsSession> SecureAsync(TlsStream stream, UpstreamTls tls, string host, IReadOnlyList<string> protocols, CancellationToken cancellationToken)
    {
        var version = tls.Secrets?.Version;
        try
        {
            var session = await TlsHandshake.AuthenticateAsync(stream, tls, host, _hostname, protocols, _time, cancellationToken).ConfigureAwait(false);
            stream.Join(_secure, session);
            if (tls.Secrets?.Version != version && !session.IsTrusted(_time))
            {
                // Whoever has looked at all connections since has not seen this one.
                await stream.DisposeAsync().ConfigureAwait(false);
                throw new TlsFailureException(TlsErrors.Superseded, "Certificates or authorities have changed during the handshake, and it would end otherwise now.");
            }

            Refusals.Clear();
            Principals = session.Principals.Equals(Principals) ? Principals : session.Principals;
            return session;
        }
        catch (TlsFailureException e)
        {
            Refusals.Add(e);
            throw;
        }
    }

    // The settings are the handler's: a request that a connection is begun for may be over, and the caller's again, before the handshake is.
    private HttpMessageInvoker CreateHandler(CallerTls tls)
        => EndpointHandler.Create(_settings, (context, cancellationToken) =>
        {
            var request = context.InitialRequestMessage;
            var (protocols, host) = (AlpnOffer.Of(request), context.DnsEndPoint.Host);
            return _settings.Tls is { IsMesh: true } mesh
                ? _dialer.DialAsync(countsRequests: false, (stream, token) => WithinAsync(stream, mesh, host, AuthenticateAsync, token), cancellationToken)
                : _dialer.DialAsync(
                    countsRequests: true,
                    async (stream, token) =>
                    {
                        await AuthenticateAsync(stream, token).ConfigureAwait(false);
                        return stream;
                    },
                    cancellationToken);

            ValueTask AuthenticateAsync(TlsStream stream, CancellationToken token) => tls.AuthenticateAsync(stream, host, protocols, request, _time, token);
        });

    // As behind a sidecar: what an application encrypts itself goes to a workload within the mesh's own TLS, as bytes. Requests are those of the inner one.
    private async ValueTask<Stream> WithinAsync(
        TlsStream outer, UpstreamTls mesh, string host, Func<TlsStream, CancellationToken, ValueTask> authenticate, CancellationToken cancellationToken)
    {
        var session = await SecureAsync(outer, mesh, host, AlpnOffer.OfBytes(mesh), cancellationToken).ConfigureAwait(false);
        var inner = new TlsStream(outer, _settings.MaxRequestsPerConnection > 0 ? new ServedRequests(_dialer.Stats, _settings.MaxRequestsPerConnection) : null);
        await authenticate(inner, cancellationToken).ConfigureAwait(false);
        if (session.Expires is { } expires)
        {
            inner.EndAfter(CertificateAge.Until(expires, _time, Random), inner.NegotiatedApplicationProtocol == SslApplicationProtocol.Http2, _time);
        }

        return inner;
    }

    /// <summary>The authority by which the handler's pool is found.</summary>
    private sealed record PoolAuthority(string Scheme, string Host, int Port)
    {
        public string Prefix { get; } = $"{Scheme}://{(Host.Contains(':') && Host[0] != '[' ? $"[{Host}]" : Host)}:{Port}";
    }
}
