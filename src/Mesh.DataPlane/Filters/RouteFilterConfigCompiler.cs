using Envoy.Config.Route.V3;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Filters;

/// <summary>Decodes one <c>typed_per_filter_config</c>. An entry's type must be known unless its <c>FilterConfig</c> says that it is optional.</summary>
internal static class RouteFilterConfigCompiler
{
    /// <returns><see langword="null"/> when there is no entry.</returns>
    public static FilterConfigLevel? Compile(MapField<string, Any> entries, string path, FilterTypes types, ICollection<string> notes)
    {
        if (entries.Count == 0)
        {
            return null;
        }

        var level = new FilterConfigLevel();
        foreach (var (name, any) in entries)
        {
            level.Add(name, Compile(name, any, $"{path}['{name}']", types, notes));
        }

        return level;
    }

    private static RouteFilterConfig Compile(string name, Any any, string path, FilterTypes types, ICollection<string> notes)
    {
        var message = FilterMessage.Open(any, path);
        if (message.TypeName != FilterConfig.Descriptor.FullName)
        {
            return Compile(name, message, path, isOptional: false, types, notes);
        }

        var wrapper = message.Parse(FilterConfig.Parser, path, notes);
        if (wrapper.Disabled)
        {
            return new RouteFilterConfig(null, null, Disabled: true);
        }

        if (wrapper.Config is not { } inner)
        {
            throw new ResourceRejectedException(path + ".config", "must be set unless the filter is disabled");
        }

        // An empty Any enables the filter with the configuration it has.
        return inner.TypeUrl.Length == 0
            ? new RouteFilterConfig(null, null, Disabled: false)
            : Compile(name, FilterMessage.Open(inner, path + ".config"), path + ".config", wrapper.IsOptional, types, notes);
    }

    private static RouteFilterConfig Compile(string name, FilterMessage message, string path, bool isOptional, FilterTypes types, ICollection<string> notes)
    {
        if (types.FindForRoute(message.TypeName) is { } type)
        {
            return new RouteFilterConfig(type, type.ReadRoute(message, path, notes), Disabled: false);
        }

        if (!isOptional)
        {
            throw new ResourceRejectedException(path, $"the type {message.TypeName} is not supported for routes and not optional");
        }

        notes.Add($"{path} is of the type {message.TypeName}, which is not supported, and optional");
        return new RouteFilterConfig(null, null, Disabled: false);
    }
}
