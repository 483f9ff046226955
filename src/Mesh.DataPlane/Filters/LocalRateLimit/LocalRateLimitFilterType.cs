using Mesh.Filters;
using Message = Envoy.Extensions.Filters.Http.LocalRatelimit.V3.LocalRateLimit;

namespace Mesh.DataPlane.Filters.LocalRateLimit;

/// <summary>Envoy's <c>envoy.filters.http.local_ratelimit</c>: a route's configuration, with its buckets, takes the place of the listener's.</summary>
internal sealed class LocalRateLimitFilterType() : FilterType<Message, Message>(Message.Parser, Message.Parser)
{
    public override HttpFilter? Create(in FilterBinding binding)
    {
        var settings = (LocalRateLimitSettings)binding.MostSpecific;
        return settings.DoesNothing
            ? null
            : new LocalRateLimitFilter(settings, RulesFor(settings, binding.Route?.RateLimits ?? RouteRateLimits.None), binding.Services);
    }

    protected override object Compile(Message message, string path, ICollection<string> notes)
        => LocalRateLimitCompiler.Compile(message, path, isRoute: false, notes);

    protected override object CompileRoute(Message message, string path, ICollection<string> notes)
        => LocalRateLimitCompiler.Compile(message, path, isRoute: true, notes);

    private static RateLimitRule[] RulesFor(LocalRateLimitSettings settings, RouteRateLimits route)
    {
        if (!settings.Buckets.HasDescriptors)
        {
            return [];
        }

        if (settings.Rules.Length > 0)
        {
            return settings.Rules;
        }

        var includesHost = route.IncludeVirtualHost
            || settings.VirtualHostRateLimits == Envoy.Extensions.Common.Ratelimit.V3.VhRateLimitsOptions.Include
            || (settings.VirtualHostRateLimits == Envoy.Extensions.Common.Ratelimit.V3.VhRateLimitsOptions.Override && route.Own.Length == 0);
        return [.. route.Own.Concat(includesHost ? route.VirtualHost : []).Where(r => r.Stage == settings.Stage)];
    }
}
