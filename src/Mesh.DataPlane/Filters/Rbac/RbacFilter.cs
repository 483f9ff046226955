using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Mesh.Filters;

namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>Lets through what the rules allow, and answers 403 to the rest; tells what the shadow rules would have said.</summary>
internal sealed class RbacFilter(RbacSettings settings, in FilterBinding binding) : HttpFilter
{
    /// <summary>The namespace of dynamic metadata in which the filter leaves what it decided.</summary>
    public const string MetadataNamespace = "envoy.filters.http.rbac";

    private const string None = "none";

    /// <summary>What it decides by, for explanations.</summary>
    public RbacSettings Settings => settings;

    private readonly FilterServices _services = binding.Services;
    private readonly string _name = binding.Name;
    private readonly RbacTally? _tally = settings.Rules is null ? null : RbacTally.OfRequests(binding, settings.RulesPrefix, "", settings.TracksPolicies);
    private readonly RbacTally? _shadowTally = settings.ShadowRules is null ? null : RbacTally.OfRequests(binding, settings.ShadowPrefix, "shadow_", settings.TracksPolicies);
    private readonly ConcurrentDictionary<string, FilterReply> _replies = new(StringComparer.Ordinal);

    public override ValueTask OnRequestAsync(HttpExchange exchange, CancellationToken cancellationToken)
    {
        var adapter = EngineExchange.Of(exchange);
        var request = new RbacRequest(adapter.View, adapter.Connection, adapter.RemoteAddress, exchange);
        if (settings.ShadowRules is { } shadow)
        {
            var told = Decide(shadow, request, adapter.ApplicationPath);
            _shadowTally!.Add(told);
            Tell(exchange, settings.ShadowPrefix + "shadow_", told);
        }

        if (settings.Rules is not { } rules)
        {
            return ValueTask.CompletedTask;
        }

        var verdict = Decide(rules, request, adapter.ApplicationPath);
        _tally!.Add(verdict);
        rules.Audit?.Tell(_name, verdict, request, _services);
        if (verdict.IsLogged is { } logged)
        {
            Metadata(exchange, "envoy.common")["access_log_hint"] = logged;
        }

        if (!verdict.IsAllowed)
        {
            var policy = verdict.Policy ?? None;
            Tell(exchange, settings.RulesPrefix + "enforced_", verdict);
            _services.Denials.Request(policy, request.View.Method, request.View.Authority, request.View.Path, request.Connection);
            exchange.Reply(_replies.GetOrAdd(policy, static p => FilterReplies.RbacDenied(p).ToFilterReply()));
        }

        return ValueTask.CompletedTask;
    }

    // Where the application will route by another path than the one that was judged, both have to pass.
    private static RbacVerdict Decide(RbacEngine engine, scoped in RbacRequest request, string? applicationPath)
    {
        var verdict = engine.Decide(request);
        if (applicationPath is null || request.View.Path.SequenceEqual(applicationPath))
        {
            return verdict;
        }

        var query = request.View.PathAndQuery[request.View.Path.Length..];
        return RbacVerdict.Of(verdict, engine.Decide(request.WithTarget(query.IsEmpty ? applicationPath : string.Concat(applicationPath, query))));
    }

    private static void Tell(HttpExchange exchange, string prefix, in RbacVerdict verdict)
    {
        var metadata = Metadata(exchange, MetadataNamespace);
        if (verdict.Policy is { } policy)
        {
            metadata[prefix + "effective_policy_id"] = policy;
        }

        metadata[prefix + "engine_result"] = verdict.IsAllowed ? "allowed" : "denied";
    }

    private static JsonObject Metadata(HttpExchange exchange, string name)
    {
        if (!exchange.Metadata.TryGetValue(name, out var metadata))
        {
            exchange.Metadata[name] = metadata = [];
        }

        return metadata;
    }
}
