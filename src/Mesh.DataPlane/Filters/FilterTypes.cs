using Google.Protobuf;
using Mesh.Filters;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Mesh.DataPlane.Filters;

/// <summary>The kinds of HTTP filters that a process knows: those built in and the application's own, which come first.</summary>
internal sealed class FilterTypes
{
    private readonly Dictionary<string, FilterType> _byConfig = new(StringComparer.Ordinal);
    private readonly Dictionary<string, FilterType> _byRouteConfig = new(StringComparer.Ordinal);

    public FilterTypes(IEnumerable<HttpFilterRegistration> registrations, IServiceProvider services)
        : this([.. registrations.Select(r => new ApplicationFilterType(r, services)), .. BuiltInFilters.Create(services.GetService<IOptions<MeshOptions>>()?.Value.Server.CaseInsensitivePaths ?? false)])
    {
    }

    private FilterTypes(IEnumerable<FilterType> types)
    {
        foreach (var type in types)
        {
            _byConfig.TryAdd(type.ConfigType, type);
            _byRouteConfig.TryAdd(type.RouteConfigType, type);
        }
    }

    /// <summary>What is built in, and nothing else.</summary>
    public static FilterTypes BuiltIn { get; } = new(BuiltInFilters.All);

    public FilterType? Find(string typeName) => _byConfig.GetValueOrDefault(typeName);

    public FilterType? FindForRoute(string typeName) => _byRouteConfig.GetValueOrDefault(typeName);
}
