using Envoy.Extensions.Filters.Http.Cors.V3;
using Envoy.Extensions.Filters.Http.Fault.V3;
using Envoy.Extensions.Filters.Http.Router.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.ControlPlane.Generators.Signals;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Generators;

/// <summary>The HTTP filters of outbound listeners. A listener is sent before its routes, so it has every filter that a route may configure.</summary>
internal static class HttpFilters
{
    /// <summary>The key under which routes configure the fault filter.</summary>
    public const string Fault = "envoy.filters.http.fault";

    /// <summary>The key under which routes configure the CORS filter.</summary>
    public const string Cors = "envoy.filters.http.cors";

    private const string Router = "envoy.filters.http.router";

    private static readonly HttpFilter[] Envoy = [Of(Fault, new HTTPFault()), Of(Cors, new Cors()), Of(Router, new Router())];

    // gRPC refuses what it does not know, and knows no CORS.
    private static readonly HttpFilter[] Grpc = [Envoy[0], Envoy[2]];

    private static readonly HttpFilter[] Quiet = [.. Envoy[..^1], Of(Router, new Router { SuppressEnvoyHeaders = true })];

    /// <summary>In Istio's order: those of signals before the router, which is the last.</summary>
    public static IReadOnlyList<HttpFilter> Outbound(ProxyKind kind, EnvoyHeaders headers, ListenerSignals? signals = null)
    {
        var filters = kind == ProxyKind.Grpc ? Grpc : headers.HidesDebugging ? Quiet : Envoy;
        return signals is null ? filters : [.. filters[..^1], .. signals.HttpFilters, filters[^1]];
    }

    /// <summary>The last filter of a server's port.</summary>
    public static HttpFilter RouterOf(EnvoyHeaders headers, ProxyKind kind) => kind == ProxyKind.Mesh && headers.HidesDebugging ? Quiet[^1] : Envoy[^1];

    private static HttpFilter Of(string name, IMessage configuration) => new() { Name = name, TypedConfig = Any.Pack(configuration) };
}
