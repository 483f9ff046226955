using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Resources;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Inbound;

/// <summary>Compiles the <c>HttpConnectionManager</c> of inbound filter chains.</summary>
internal static class InboundHttpCompiler
{
    /// <exception cref="ResourceRejectedException">It breaks a rule, or asks for what would let requests pass if it were left out.</exception>
    public static InboundHttp Compile(Any packed, string path, FilterTypes filterTypes, ICollection<string> notes)
    {
        var manager = WireMessage.Parse(HttpConnectionManager.Parser, packed.Value, path);
        foreach (var note in WireMessage.Validate(manager, packed.Value, HttpConnectionManager.Parser, path))
        {
            notes.Add(note);
        }

        var filters = ListenerFilterCompiler.Compile(manager.HttpFilters, path + ".http_filters", filterTypes, notes);
        var routes = RouteConfigurationType.Compile(
            manager.RouteConfig ?? throw new ResourceRejectedException(path + ".route_config", "must be set: the routes of an inbound listener are its own"),
            path + ".route_config.",
            filterTypes);
        return new InboundHttp(routes, filters);
    }
}
