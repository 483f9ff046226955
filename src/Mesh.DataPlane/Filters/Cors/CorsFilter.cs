using Mesh.DataPlane.Matching;
using Mesh.Filters;

namespace Mesh.DataPlane.Filters.Cors;

/// <summary>Answers preflight requests, and says on every other response whether the origin may read it. Envoy's answers, header by header.</summary>
internal sealed class CorsFilter : HttpFilter
{
    private const string True = "true";

    private readonly IRandomSource _random;
    private readonly Fraction _enabled;
    private readonly Fraction _shadowEnabled;
    private readonly StringMatcher[] _origins;
    private readonly string _methods;
    private readonly string _headers;
    private readonly string _expose;
    private readonly string _maxAge;
    private readonly bool _credentials;
    private readonly bool _privateNetwork;
    private readonly bool _forwardsNotMatching;

    /// <param name="policies">The most specific first; each setting comes from the first that has it.</param>
    /// <param name="random">Decides fractions.</param>
    public CorsFilter(CorsPolicy[] policies, IRandomSource random)
    {
        _random = random;
        (_enabled, _shadowEnabled) = (policies[0].Enabled, policies[0].ShadowEnabled);
        _origins = policies.Select(p => p.AllowOrigins).FirstOrDefault(o => o.Length > 0) ?? [];
        _methods = First(p => p.AllowMethods);
        _headers = First(p => p.AllowHeaders);
        _expose = First(p => p.ExposeHeaders);
        _maxAge = First(p => p.MaxAge);
        _credentials = policies.Select(p => p.AllowCredentials).FirstOrDefault(c => c is not null) ?? false;
        _privateNetwork = policies.Select(p => p.AllowPrivateNetworkAccess).FirstOrDefault(c => c is not null) ?? false;
        _forwardsNotMatching = policies.Select(p => p.ForwardNotMatchingPreflights).FirstOrDefault(c => c is not null) ?? true;

        string First(Func<CorsPolicy, string> setting) => policies.Select(setting).FirstOrDefault(s => s.Length > 0) ?? "";
    }

    internal override bool MayReplaceResponse => false;

    public override ValueTask OnRequestAsync(HttpExchange exchange, CancellationToken cancellationToken)
    {
        // A route that leads to no cluster is none of CORS's business; shadow mode only counts, and there is nothing that counts.
        if (exchange.ClusterName is null
            || !_enabled.Happens(_random)
            || !exchange.RequestHeaders.TryGet("origin", out var origin)
            || origin.Length == 0)
        {
            return ValueTask.CompletedTask;
        }

        var isAllowed = IsAllowed(origin);
        if (isAllowed)
        {
            exchange.State = origin;
        }

        if (exchange.Method == "OPTIONS"
            && exchange.RequestHeaders.TryGet("access-control-request-method", out var method)
            && method.Length > 0
            && (isAllowed || !_forwardsNotMatching))
        {
            exchange.Reply(FilterReplies.CorsPreflight.ToFilterReply() with { Headers = Preflight(exchange.RequestHeaders, isAllowed ? origin : null, method) });
        }

        return ValueTask.CompletedTask;
    }

    public override ValueTask OnResponseAsync(HttpExchange exchange, CancellationToken cancellationToken)
    {
        if (exchange.State is not string origin)
        {
            return ValueTask.CompletedTask;
        }

        exchange.ResponseHeaders.Set("access-control-allow-origin", origin);
        if (_credentials)
        {
            exchange.ResponseHeaders.Set("access-control-allow-credentials", True);
        }

        if (_expose.Length > 0)
        {
            exchange.ResponseHeaders.Set("access-control-expose-headers", _expose);
        }

        return ValueTask.CompletedTask;
    }

    private List<KeyValuePair<string, string>> Preflight(HttpExchangeHeaders request, string? origin, string method)
    {
        var headers = new List<KeyValuePair<string, string>>();
        if (origin is not null)
        {
            Add("access-control-allow-origin", origin);
        }

        if (_credentials)
        {
            Add("access-control-allow-credentials", True);
        }

        // "*" means whatever was asked for: a browser does not take it literally from a response with credentials.
        Add("access-control-allow-methods", _methods == "*" ? method : _methods);
        Add("access-control-allow-headers", _headers == "*" ? request["access-control-request-headers"] ?? "" : _headers);
        Add("access-control-max-age", _maxAge);
        if (_privateNetwork && request["access-control-request-private-network"] == True)
        {
            Add("access-control-allow-private-network", True);
        }

        return headers;

        void Add(string name, string value)
        {
            if (value.Length > 0)
            {
                headers.Add(new KeyValuePair<string, string>(name, value));
            }
        }
    }

    private bool IsAllowed(string origin)
    {
        foreach (var matcher in _origins)
        {
            if (matcher.IsMatch("*") || matcher.IsMatch(origin))
            {
                return true;
            }
        }

        return false;
    }
}
