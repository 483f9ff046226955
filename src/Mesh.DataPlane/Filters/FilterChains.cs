using System.Collections.Concurrent;
using Mesh.Filters;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Filters;

/// <summary>The chains of one listener: for each route its own, bound when it is first met and kept as long as listener and routes stay as they are.</summary>
internal sealed partial class FilterChains
{
    private readonly ListenerFilter[] _filters;
    private readonly FilterServices _services;
    private readonly string _statPrefix;
    private readonly FilterChain? _plain;
    private readonly ConcurrentDictionary<(RouteFilterConfigs? Route, FilterConfigLevel? Cluster), FilterChain?> _bound = new();

    /// <param name="filters">The listener's filters.</param>
    /// <param name="services">Time, chance, and who this process is.</param>
    /// <param name="statPrefix">By what the connection manager is known among metrics.</param>
    public FilterChains(ListenerFilter[] filters, FilterServices services, string statPrefix)
    {
        (_filters, _services, _statPrefix) = (filters, services, statPrefix);
        _plain = Bind(null, null);
    }

    public TimeProvider Time => _services.Time;

    /// <summary>The listener's filters, whatever routes say of them.</summary>
    public IReadOnlyList<ListenerFilter> Listener => _filters;

    /// <summary>The chain where a route says nothing of filters, or where there is no route; <see langword="null"/> when no filter would do anything.</summary>
    public FilterChain? Plain => _plain;

    /// <summary>The chain of a route, with what the chosen weighted cluster adds; <see langword="null"/> when no filter would do anything.</summary>
    public FilterChain? Of(RouteFilterConfigs? route, FilterConfigLevel? cluster)
    {
        if (route is null && cluster is null)
        {
            return _plain;
        }

        return _bound.TryGetValue((route, cluster), out var chain) ? chain : _bound.GetOrAdd((route, cluster), k => Bind(k.Route, k.Cluster));
    }

    private FilterChain? Bind(RouteFilterConfigs? route, FilterConfigLevel? cluster)
    {
        var bound = new HttpFilter?[_filters.Length];
        for (var i = 0; i < bound.Length; i++)
        {
            bound[i] = Bind(_filters[i], route, cluster);
        }

        return bound.Any(f => f is not null) ? new FilterChain(this, bound, [.. _filters.Select(f => f.Name)], _services.Logger) : null;
    }

    private HttpFilter? Bind(ListenerFilter filter, RouteFilterConfigs? route, FilterConfigLevel? cluster)
    {
        RouteFilterConfig? own = null;
        cluster?.TryGetValue(filter.Name, out own);
        if (own?.Disabled ?? route?.IsDisabled(filter.Name) ?? filter.Disabled)
        {
            return null;
        }

        var configs = new List<object>();
        foreach (var config in own is { Type: not null } ? [.. route?.Of(filter.Name) ?? [], own] : route?.Of(filter.Name) ?? [])
        {
            if (config.Type == filter.Type)
            {
                configs.Add(config.Config!);
            }
            else
            {
                Log.OtherKind(_services.Logger, filter.Name, config.Type!.RouteConfigType, filter.Type.ConfigType);
            }
        }

        return filter.Type.Create(new FilterBinding(filter.Config, configs, route, _services, _statPrefix, filter.Name));
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "A route configures the filter {Filter} by a {RouteType}, which a {Type} does not take: the route's configuration is not applied.")]
        public static partial void OtherKind(ILogger logger, string filter, string routeType, string type);
    }
}
