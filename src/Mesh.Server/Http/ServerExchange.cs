using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Inbound.Http;
using Mesh.DataPlane.Matching;
using Mesh.Filters;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace Mesh.Server.Http;

/// <summary>An exchange of the server's door: what filters change is what the application gets, and what its caller gets. Pooled.</summary>
internal sealed partial class ServerExchange : InboundExchange
{
    private const int MaxPooled = 64;

    [ThreadStatic]
    private static Stack<ServerExchange>? _pool;

    private HttpContext? _context;
    private ConnectionFacts? _connection;
    private string? _flags;
    private string? _target;
    private byte[]? _requestBody;
    private bool _hasResponse;

    private ServerExchange()
    {
    }

    public HttpContext Context => _context!;

    public override ConnectionFacts? Connection => _connection;

    public override RequestView View => new(Path, Method, Authority, Scheme, RequestHeaderReader.Instance, Context) { Exchange = Exchange };

    public override FormatContext Format
        => new(Time)
        {
            RequestHeaders = RequestHeaderReader.Instance,
            Request = Context,
            ResponseHeaders = ResponseHeaderReader.Instance,
            Response = _hasResponse ? Context : null,
            Method = Method,
            PathAndQuery = Path,
            Authority = Authority,
            Scheme = Scheme,
            Protocol = ProtocolOf(Context.Request.Protocol),
            Connection = _connection,
            RemoteAddress = RemoteAddress,
            Route = Route.Route,
            VirtualHost = Route.Host?.Name,
            Cluster = ClusterName,
            Status = _hasResponse ? StatusCode : null,
            ResponseFlags = Flags,
            ResponseCodeDetails = Reply?.Details ?? (_hasResponse ? "via_upstream" : null),
            LocalReplyBody = Reply?.Body,
        };

    /// <summary>Envoy's response flags, those of a reply included.</summary>
    public string? Flags => Reply is { Flags.Length: > 0 } reply ? _flags is null ? reply.Flags : $"{_flags},{reply.Flags}" : _flags;

    public override string Method
    {
        get => Context.Request.Method;
        set => Context.Request.Method = value;
    }

    /// <summary>The target as it came, or as it has been normalised since; of an absolute one what follows the authority.</summary>
    public override string Path
    {
        get => _target ??= TargetOf(Context);
        set
        {
            _target = value;
            var query = value.IndexOf('?');
            var path = query < 0 ? value : value[..query];
            var request = Context.Request;
            Context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget = value;

            // The server decodes what it parses, and folds dots: so does whoever puts another path in its place.
            request.Path = new PathString(path.StartsWith('/') ? PathNormalization.WithoutDotSegments(PathString.FromUriComponent(path).Value!) : null);
            request.QueryString = new QueryString(query < 0 ? null : value[query..]);
        }
    }

    public override string? ApplicationPath
    {
        get
        {
            var path = Context.Request.Path.Value ?? "";
            if (Table.IgnoresTrailingSlashes && path.Length > 1 && path[^1] == '/')
            {
                path = path.TrimEnd('/') is { Length: > 0 } trimmed ? trimmed : "/";
            }

            var target = Path.AsSpan();
            var query = target.IndexOf('?');
            if (path.AsSpan().SequenceEqual(query < 0 ? target : target[..query]))
            {
                return null;
            }

            // To a matcher the path would end there; to the application it does not.
            return path.AsSpan().ContainsAny('?', '#')
                ? path.Replace("?", "%3F", StringComparison.Ordinal).Replace("#", "%23", StringComparison.Ordinal)
                : path;
        }
    }

    public override string Authority
    {
        get => Context.Request.Host.Value ?? "";
        set => Context.Request.Host = new HostString(value);
    }

    /// <summary>As it was before whoever is believed has taken TLS off; on the mesh's own TLS the application sees <c>http</c>.</summary>
    public override string Scheme
        => Context.Request.Headers.TryGetValue("x-forwarded-proto", out var told) && told is [var only]
            ? only switch
            {
                "http" => "http",
                "https" => "https",
                _ => OwnScheme,
            }
            : OwnScheme;

    public override int StatusCode
    {
        get => _hasResponse ? Context.Response.StatusCode : 0;
        set
        {
            if (!_hasResponse)
            {
                throw new InvalidOperationException("There is no response yet; reply instead.");
            }

            Context.Response.StatusCode = value;
        }
    }

    private string OwnScheme => _connection is { IsTls: true } ? "https" : Context.Request.Scheme;

    public static ServerExchange Begin(HttpContext context, ConnectionFacts connection, InboundHttpTable table)
    {
        var exchange = _pool?.TryPop(out var pooled) == true ? pooled : new ServerExchange();
        exchange._context = context;
        exchange._connection = connection;
        exchange.Table = table;
        exchange.Time = table.Time;
        exchange.Draw = table.Random.NextUInt64();
        return exchange;
    }

    /// <summary>Gives the exchange to the next request.</summary>
    public void Return()
    {
        Reset();
        ResetResponse();
        (_context, _connection, _flags, _target, _requestBody, _hasResponse) = (null, null, null, null, null, false);
        _pool ??= new Stack<ServerExchange>();
        if (_pool.Count < MaxPooled)
        {
            _pool.Push(this);
        }
    }

    public override void Scan(ref HeaderScan scan)
    {
        foreach (var (name, values) in Context.Request.Headers)
        {
            scan.Add(name, values.Count, Length(values));
        }
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
                (HeaderSide.Response, ":status") when _hasResponse => StatusCode.ToString(CultureInfo.InvariantCulture),
                _ => null,
            };
            return value is not null;
        }

        if (Headers(side) is { } headers && headers.TryGetValue(name, out var values) && values.Count > 0)
        {
            value = HeaderText.Join(values);
            return true;
        }

        value = null;
        return false;
    }

    public override void AddHeader(HeaderSide side, string name, string value)
    {
        if (side == HeaderSide.Request && name.Equals("host", StringComparison.OrdinalIgnoreCase))
        {
            Authority = value;
        }
        else if (side == HeaderSide.Request || MessageHeaderMap.Sendable(value))
        {
            Headers(side)?.Append(name, value);
        }
    }

    public override bool RemoveHeader(HeaderSide side, string name) => Headers(side)?.Remove(name) == true;

    public override void CopyHeaders(HeaderSide side, ICollection<KeyValuePair<string, string>> headers)
    {
        if (Headers(side) is not { } source)
        {
            return;
        }

        foreach (var (name, values) in source)
        {
            foreach (var value in values)
            {
                headers.Add(new KeyValuePair<string, string>(name, value ?? ""));
            }
        }
    }

    public override void AddFlag(string flag) => _flags = _flags is null ? flag : $"{_flags},{flag}";

    private static string TargetOf(HttpContext context)
    {
        var raw = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        if (raw.Length > 0 && raw[0] is '/' or '*')
        {
            return raw;
        }

        // http://host/path, as proxies get it; or a server that keeps no target.
        var authority = raw.IndexOf("://", StringComparison.Ordinal);
        if (authority > 0)
        {
            var path = raw.AsSpan(authority + 3).IndexOfAny('/', '?');
            return path < 0 ? "/" : raw[authority + 3 + path] == '/' ? raw[(authority + 3 + path)..] : "/" + raw[(authority + 3 + path)..];
        }

        return context.Request.Path.ToUriComponent() is { Length: > 0 } own ? own + context.Request.QueryString.ToUriComponent() : raw;
    }

    internal static Version? ProtocolOf(string protocol)
        => protocol switch
        {
            "HTTP/1.1" => System.Net.HttpVersion.Version11,
            "HTTP/2" => System.Net.HttpVersion.Version20,
            "HTTP/1.0" => System.Net.HttpVersion.Version10,
            "HTTP/3" => System.Net.HttpVersion.Version30,
            _ => null,
        };

    private static int Length(StringValues values)
    {
        if (values.Count == 1)
        {
            return values[0]?.Length ?? 0;
        }

        var length = 0;
        for (var i = 0; i < values.Count; i++)
        {
            length += values[i]?.Length ?? 0;
        }

        return length;
    }

    private IHeaderDictionary? Headers(HeaderSide side) => side == HeaderSide.Request ? Context.Request.Headers : _hasResponse ? Context.Response.Headers : null;
}
