using Envoy.Config.Route.V3;
using Mesh.DataPlane.Filters.Cors;
using Mesh.DataPlane.Filters.LocalRateLimit;
using CorsPolicy = Mesh.DataPlane.Filters.Cors.CorsPolicy;
using EnvoyAction = Envoy.Config.Route.V3.Route.ActionOneofCase;
using VirtualHost = Envoy.Config.Route.V3.VirtualHost;

namespace Mesh.DataPlane.Filters;

/// <summary>
/// Decodes what one route configuration says to filters. What a level says is decoded once and shared by all routes below it: a rate limit of a
/// virtual host is one bucket, not one for each route.
/// </summary>
internal sealed class RouteFilterConfigsCompiler
{
    private readonly FilterTypes _types;
    private readonly ICollection<string> _notes;
    private readonly FilterConfigLevel? _configuration;

    public RouteFilterConfigsCompiler(RouteConfiguration message, string path, FilterTypes types, ICollection<string> notes)
    {
        (_types, _notes) = (types, notes);
        _configuration = RouteFilterConfigCompiler.Compile(message.TypedPerFilterConfig, path + "typed_per_filter_config", types, notes);
    }

    public ForHost Host(VirtualHost host, string path) => new(this, host, path);

    /// <summary>What a weighted cluster says.</summary>
    public FilterConfigLevel? Compile(Envoy.Config.Route.V3.WeightedCluster.Types.ClusterWeight cluster, string path)
        => RouteFilterConfigCompiler.Compile(cluster.TypedPerFilterConfig, path + ".typed_per_filter_config", _types, _notes);

    /// <summary>The same for the routes of one virtual host.</summary>
    internal sealed class ForHost
    {
        private readonly RouteFilterConfigsCompiler _owner;
        private readonly FilterConfigLevel? _level;
        private readonly RateLimitRule[] _rateLimits;
        private readonly CorsPolicy? _cors;

        public ForHost(RouteFilterConfigsCompiler owner, VirtualHost host, string path)
        {
            _owner = owner;
            _level = RouteFilterConfigCompiler.Compile(host.TypedPerFilterConfig, path + ".typed_per_filter_config", owner._types, owner._notes);
            _rateLimits = RateLimitCompiler.Compile(host.RateLimits, path + ".rate_limits", owner._notes);
#pragma warning disable CS0612 // What older control planes send.
            _cors = host.Cors is { } cors ? CorsCompiler.Compile(cors, path + ".cors") : null;
#pragma warning restore CS0612
        }

        /// <summary>What applies to the filters on one route; <see langword="null"/> when no level says anything.</summary>
        public RouteFilterConfigs? Compile(Route route, string path)
        {
            var level = RouteFilterConfigCompiler.Compile(route.TypedPerFilterConfig, path + ".typed_per_filter_config", _owner._types, _owner._notes);
            var action = route.ActionCase == EnvoyAction.Route_ ? route.Route_ : null;
#pragma warning disable CS0612 // What older control planes send.
            var cors = action?.Cors is { } message ? CorsCompiler.Compile(message, path + ".route.cors") : null;
            var includeHost = action?.IncludeVhRateLimits ?? false;
#pragma warning restore CS0612
            var own = action is null ? [] : RateLimitCompiler.Compile(action.RateLimits, path + ".route.rate_limits", _owner._notes);
            var configs = new RouteFilterConfigs([_owner._configuration, _level, level])
            {
                RateLimits = own.Length + _rateLimits.Length == 0 ? RouteRateLimits.None : new RouteRateLimits(own, _rateLimits, includeHost),
                LegacyCors = [.. new[] { cors, _cors }.OfType<CorsPolicy>()],
            };
            return configs.IsEmpty ? null : configs;
        }
    }
}
