using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Mesh.DataPlane.Telemetry;
using Mesh.Xds.Client;
using Router = Envoy.Extensions.Filters.Http.Router.V3.Router;

namespace Mesh.DataPlane.Filters;

/// <summary>Decodes the <c>http_filters</c> of a listener (gRFC A39): unique names, the router last, an unknown filter only when it is optional.</summary>
internal static class ListenerFilterCompiler
{
    /// <param name="messages">The filters.</param>
    /// <param name="path">Where they stand.</param>
    /// <param name="types">What is known.</param>
    /// <param name="notes">Gets what is left out.</param>
    /// <param name="namesMayRecur">As in Envoy, and in the chains of Istio's servers, where what denies and what allows is of one name.</param>
    /// <returns>The filters in their order, without the router.</returns>
    public static ListenerFilter[] Compile(IReadOnlyList<HttpFilter> messages, string path, FilterTypes types, ICollection<string> notes, bool namesMayRecur = false)
    {
        var filters = new List<ListenerFilter>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        var terminal = false;
        for (var i = 0; i < messages.Count; i++)
        {
            var message = messages[i];
            var itemPath = $"{path}[{i}]";
            if (!names.Add(message.Name) && !namesMayRecur)
            {
                throw new ResourceRejectedException(itemPath + ".name", $"the name '{message.Name}' occurs twice");
            }

            if (terminal)
            {
                throw new ResourceRejectedException(itemPath, $"'{message.Name}' comes after the terminal filter envoy.filters.http.router");
            }

            if (message.TypedConfig?.Is(Router.Descriptor) == true)
            {
                terminal = true;
            }
            else if (!SignalFilters.IsOne(message.TypedConfig, itemPath + ".typed_config") && Compile(message, itemPath, types, notes) is { } filter)
            {
                filters.Add(filter);
            }
        }

        return terminal ? [.. filters] : throw new ResourceRejectedException(path, "must end with envoy.filters.http.router");
    }

    private static ListenerFilter? Compile(HttpFilter message, string path, FilterTypes types, ICollection<string> notes)
    {
        string reason;
        if (message.TypedConfig is { } any)
        {
            var config = FilterMessage.Open(any, path + ".typed_config");
            if (types.Find(config.TypeName) is { } type)
            {
                return new ListenerFilter(message.Name, type, type.Read(config, path + ".typed_config", notes), message.Disabled);
            }

            reason = config.TypeName;
        }
        else
        {
            reason = message.ConfigDiscovery is null ? "no typed_config" : "config_discovery";
        }

        if (!message.IsOptional)
        {
            throw new ResourceRejectedException(path, $"'{message.Name}' ({reason}) is not supported and not optional");
        }

        notes.Add($"{path} is the optional filter '{message.Name}' ({reason}), which is not supported");
        return null;
    }
}
