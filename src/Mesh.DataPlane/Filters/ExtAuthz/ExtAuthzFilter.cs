using Mesh.DataPlane.Filters.HeaderMutation;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Upstream;
using Mesh.Filters;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Filters.ExtAuthz;

/// <summary>Asks an authorizer about each request. Whatever goes wrong refuses it, unless failures are to let pass.</summary>
internal sealed partial class ExtAuthzFilter : HttpFilter
{
    private const string FailureModeAllowed = "x-envoy-auth-failure-mode-allowed";
    private const string MetadataNamespace = "envoy.filters.http.ext_authz";

    private readonly ExtAuthzSettings _settings;
    private readonly IAuthorizer _authorizer;
    private readonly BodySettings? _body;
    private readonly Dictionary<string, string> _extensions = new(StringComparer.Ordinal);
    private readonly FilterServices _services;
    private readonly ExtAuthzCounters _counters;

    /// <param name="settings">The listener's.</param>
    /// <param name="routes">What the levels of the route say, the most specific last.</param>
    /// <param name="binding">Time, chance, whom to call, and where the filter counts.</param>
    public ExtAuthzFilter(ExtAuthzSettings settings, IReadOnlyList<ExtAuthzRoute> routes, in FilterBinding binding)
    {
        var route = routes.Count > 0 ? routes[^1] : null;
        (_settings, _services, _counters) = (settings, binding.Services, new ExtAuthzCounters(binding, settings.StatPrefix));
        _authorizer = route?.Authorizer ?? settings.Authorizer;
        _body = route is { SkipsBody: true } ? null : route?.Body ?? settings.Body;
        foreach (var (key, value) in routes.SelectMany(r => r.ContextExtensions))
        {
            _extensions[key] = value;
        }
    }

    public override async ValueTask OnRequestAsync(HttpExchange exchange, CancellationToken cancellationToken)
    {
        // 1. Whether it is to be asked about.
        if (!IsEnabled(exchange))
        {
            _counters.Disabled.Increment();
            if (_settings.DeniesAtDisable)
            {
                exchange.Reply(FilterReplies.ExtAuthzError(_settings.StatusOnError).ToFilterReply());
            }

            return;
        }

        // 2. The body, where the authorizer wants it.
        CheckedBody? body = null;
        if (_body is not null && !exchange.RequestHeaders.Contains("upgrade"))
        {
            body = await ReadAsync(exchange, _body, cancellationToken).ConfigureAwait(false);
            if (body is null)
            {
                exchange.Reply(FilterReplies.PayloadTooLarge.ToFilterReply());
                return;
            }
        }

        // 3. The answer.
        var result = await CheckAsync(exchange, body, cancellationToken).ConfigureAwait(false);
        if (result.HasUnknownAction && _settings.ValidatesMutations)
        {
            Reject(exchange);
            return;
        }

        if (result.Metadata is { } metadata && _settings.TakesMetadata)
        {
            exchange.Metadata[MetadataNamespace] = metadata;
        }

        switch (result.Status)
        {
            case CheckStatus.Ok:
                _counters.Ok.Increment();
                Allow(exchange, result);
                break;
            case CheckStatus.Denied:
                _counters.Denied.Increment();
                Refuse(exchange, result, FilterReplies.ExtAuthzDenied(StatusOf(result, 403), Cut(result.Body)));
                break;
            case CheckStatus.Error when _settings.FailureModeAllow:
                _counters.Error.Increment();
                _counters.FailureModeAllowed.Increment();
                if (_settings.MarksFailureModeAllow)
                {
                    exchange.RequestHeaders.Set(FailureModeAllowed, "true");
                }

                break;
            default:
                _counters.Error.Increment();
                Refuse(exchange, result, FilterReplies.ExtAuthzError(StatusOf(result, _settings.StatusOnError)) with { Body = Cut(result.Body) });
                break;
        }
    }

    public override ValueTask OnResponseAsync(HttpExchange exchange, CancellationToken cancellationToken)
    {
        if (exchange.State is IReadOnlyList<HeaderChange> changes)
        {
            foreach (var change in changes)
            {
                Write(exchange.ResponseHeaders, change);
            }
        }

        return ValueTask.CompletedTask;
    }

    private static async ValueTask<CheckedBody?> ReadAsync(HttpExchange exchange, BodySettings settings, CancellationToken cancellationToken)
    {
        if (!settings.AllowsPartial)
        {
            return await exchange.BufferRequestBodyAsync(settings.MaxBytes, cancellationToken).ConfigureAwait(false) is { } whole
                ? new CheckedBody(whole, IsWhole: true, settings.AsBytes)
                : null;
        }

        var (bytes, isWhole) = await exchange.Adapter.PeekRequestAsync(settings.MaxBytes, cancellationToken).ConfigureAwait(false);
        return new CheckedBody(bytes, isWhole, settings.AsBytes);
    }

    private static int StatusOf(CheckResult result, int otherwise) => result.HttpStatus is >= 200 and <= 599 ? result.HttpStatus : otherwise;

    // What the length and the connection are is not an authorizer's to say.
    private static bool IsFraming(string name) => name is "content-length" or "transfer-encoding" or "connection" or "keep-alive" or "upgrade" or "te" or "trailer";

    private static bool IsValid(in HeaderChange change) => HeaderSyntax.IsToken(change.Name) && HeaderSyntax.IsValue(change.Value);

    private static void Write(HttpExchangeHeaders headers, in HeaderChange change)
    {
        if (IsFraming(change.Name))
        {
            return;
        }

        switch (change.Action)
        {
            case HeaderWrite.Append when !change.OnlyIfExists:
                headers.Add(change.Name, change.Value);
                break;
            case HeaderWrite.Append when headers.TryGet(change.Name, out var before):
                headers.Set(change.Name, $"{before},{change.Value}");
                break;
            case HeaderWrite.AddIfAbsent when !headers.Contains(change.Name):
            case HeaderWrite.OverwriteIfExists when headers.Contains(change.Name):
            case HeaderWrite.Overwrite:
                headers.Set(change.Name, change.Value);
                break;
        }
    }

    private bool IsEnabled(HttpExchange exchange)
        => _settings.EnabledMetadata?.IsMatch(exchange) != false
            && (_settings.Enabled is not { } fraction || fraction.Includes(_services.Random.NextUInt64()));

    private async ValueTask<CheckResult> CheckAsync(HttpExchange exchange, CheckedBody? body, CancellationToken cancellationToken)
    {
        try
        {
            var request = CheckRequests.Create(exchange, _settings.Context, _extensions, body, _services);
            return await _authorizer.CheckAsync(request, exchange, _services, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            Log.Failed(_services.Logger, _authorizer.Cluster, e.Message, _settings.FailureModeAllow ? "passes" : "is refused");
            return new CheckResult(CheckStatus.Error);
        }
    }

    private void Allow(HttpExchange exchange, CheckResult result)
    {
        // All of it or nothing: what was rejected must not have been changed half-way.
        foreach (var change in result.Headers)
        {
            if ((!IsValid(change) && !IsPseudo(change.Name) && _settings.ValidatesMutations) || IsForbidden(change.Name, removes: false))
            {
                Reject(exchange);
                return;
            }
        }

        if (result.HeadersToRemove.Any(name => IsForbidden(name, removes: true))
            || (_settings.ValidatesMutations && (result.ResponseHeaders.Any(c => !IsValid(c)) || result.QueryToSet.Any(p => !IsQuery(p.Key) || !IsQuery(p.Value)))))
        {
            Reject(exchange);
            return;
        }

        foreach (var change in result.Headers)
        {
            if (!Apply(exchange, change))
            {
                Reject(exchange);
                return;
            }
        }

        foreach (var name in result.HeadersToRemove)
        {
            if (HeaderSyntax.IsToken(name) && name != "host" && !IsFraming(name) && _settings.RequestRules?.Allow(name, removes: true) != false)
            {
                exchange.RequestHeaders.Remove(name);
            }
        }

        if (result.QueryToSet.Count + result.QueryToRemove.Count > 0)
        {
            exchange.Path = Query(exchange.Path, result);
        }

        if (result.ResponseHeaders.Count > 0)
        {
            exchange.State = (IReadOnlyList<HeaderChange>)[.. result.ResponseHeaders.Where(c => IsValid(c))];
        }

        if (_settings.ClearsRouteCache && result.ChangesRequest)
        {
            exchange.ClearRouteCache();
        }
    }

    private static bool IsPseudo(string name) => name.StartsWith(':');

    private static bool IsQuery(string text) => !text.AsSpan().ContainsAnyExceptInRange('!', '~') && text.AsSpan().IndexOfAny('&', '=', '#') < 0;

    private bool IsForbidden(string name, bool removes)
        => _settings.RequestRules is { DisallowedIsError: true } rules && name.Length > 0 && !rules.Allow(name, removes);

    /// <returns><see langword="false"/> when the request would not be one any more.</returns>
    private bool Apply(HttpExchange exchange, in HeaderChange change)
    {
        if (change.Name.Length == 0 || _settings.RequestRules?.Allow(change.Name, removes: false) == false)
        {
            return true;
        }

        if (!IsPseudo(change.Name) && change.Name != "host")
        {
            if (IsValid(change))
            {
                Write(exchange.RequestHeaders, change);
            }

            return true;
        }

        if (change.Action == HeaderWrite.AddIfAbsent)
        {
            return true;
        }

        switch (new HeaderName(change.Name).Pseudo)
        {
            case PseudoHeader.Path when HeaderSyntax.IsTarget(change.Value):
                exchange.Path = change.Value;
                return true;
            case PseudoHeader.Method when HeaderSyntax.IsToken(change.Value):
                exchange.Method = change.Value;
                return true;
            case PseudoHeader.Authority when HeaderSyntax.IsAuthority(change.Value):
                exchange.Authority = change.Value;
                return true;
            default:
                return false;
        }
    }

    private static string Query(string path, CheckResult result)
    {
        var parameters = QueryString.Parse(path);
        foreach (var (key, value) in result.QueryToSet)
        {
            var first = parameters.FindIndex(p => p.Key == key);
            if (first < 0)
            {
                parameters.Add((key, value));
            }
            else
            {
                parameters.RemoveAll(p => p.Key == key);
                parameters.Insert(first, (key, value));
            }
        }

        parameters.RemoveAll(p => result.QueryToRemove.Contains(p.Key));
        return QueryString.Replace(path, parameters);
    }

    private void Refuse(HttpExchange exchange, CheckResult result, LocalReply reply)
    {
        if (_settings.ValidatesMutations && result.Headers.Any(c => !IsValid(c)))
        {
            Reject(exchange);
            return;
        }

        // What gRPC callers get has no body, and a type of its own.
        var isGrpc = exchange.RequestHeaders["content-type"]?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) == true;
        exchange.Reply((reply with { Headers = [.. result.Headers.Where(c => IsValid(c) && !IsFraming(c.Name) && !(isGrpc && c.Name == "content-type")).Select(c => (c.Name, c.Value))] }).ToFilterReply());
    }

    private void Reject(HttpExchange exchange)
    {
        _counters.Invalid.Increment();
        exchange.Reply(FilterReplies.ExtAuthzInvalid.ToFilterReply());
    }

    private string Cut(string body)
        => _settings.MaxDeniedBytes == 0 || System.Text.Encoding.UTF8.GetByteCount(body) <= _settings.MaxDeniedBytes
            ? body
            : System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(body).AsSpan(0, _settings.MaxDeniedBytes));

    private static partial class Log
    {
        [LoggerMessage(5, LogLevel.Warning, "The external authorizer in the cluster {Cluster} could not be asked, and the request {Consequence}: {Problem}")]
        public static partial void Failed(ILogger logger, string cluster, string problem, string consequence);
    }
}
