using Envoy.Config.Listener.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Tcp;
using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Telemetry.AccessLogs;
using Mesh.DataPlane.Telemetry.Metrics;
using Mesh.DataPlane.Telemetry.Tracing;
using Mesh.DataPlane.Timeouts;
using Mesh.Xds.Ads;
using Mesh.Xds.Client;
using EnvoyRouter = Envoy.Extensions.Filters.Http.Router.V3.Router;

namespace Mesh.DataPlane.Resources;

/// <summary>
/// Decodes API listeners (gRFC A27): an <c>HttpConnectionManager</c> whose filters end with the router. Listeners for connections have filter chains instead,
/// which end with <c>tcp_proxy</c>; those of the ports of this process have chains that say who may come in.
/// </summary>
internal sealed class ListenerType(FilterTypes filterTypes) : ResourceType<ListenerResource>(TypeUrls.Listener, isFullStateInSotw: true)
{
    private const string HcmPath = "api_listener.api_listener";

    private static readonly HashSet<string> Honoured = ["stat_prefix", "rds", "route_config", "http_filters", "codec_type", "stream_idle_timeout", "common_http_protocol_options",
        "tracing", "generate_request_id", "request_id_extension", "access_log"];

    // An API listener is one that nobody connects to: what says who may, and what says nothing of requests. An address has every one of them, since
    // the published rules ask for it.
    private static readonly HashSet<string> _named = ["name", "address", "api_listener", "metadata", "stat_prefix", "traffic_direction"];

    private static readonly HashSet<string> _routerHonoured = ["suppress_envoy_headers", "respect_expected_rq_timeout"];

    /// <summary>Knows the filters that are built in, and no other.</summary>
    public static ListenerType Instance { get; } = new(FilterTypes.BuiltIn);

    protected override ListenerResource DecodeResource(ByteString body, out string name)
    {
        name = "";
        var listener = WireMessage.Parse(Listener.Parser, body);
        name = listener.Name;
        var notes = WireMessage.Validate(listener, body, Listener.Parser).ToList();

        if (listener.ApiListener?.ApiListener_ is not { } any)
        {
            if (InboundListenerCompiler.IsOne(listener))
            {
                return new ListenerResource(name, null, null) { Inbound = InboundListenerCompiler.Compile(listener, filterTypes, notes), Notes = notes };
            }

            if (TcpListenerCompiler.IsOne(listener))
            {
                return new ListenerResource(name, null, null) { Tcp = TcpListenerCompiler.Compile(listener, notes), Notes = notes };
            }

            throw new ResourceRejectedException("api_listener", "must be set, or filter chains that end with tcp_proxy: this data plane reads outbound routes from API listeners");
        }

        if (!any.Is(HttpConnectionManager.Descriptor))
        {
            throw new ResourceRejectedException(HcmPath, $"must be an HttpConnectionManager, not {any.TypeUrl}");
        }

        var manager = WireMessage.Parse(HttpConnectionManager.Parser, any.Value, HcmPath);
        if (manager.StatPrefix.Length == 0)
        {
            // Required by Envoy's rules, left out by Istio's gRPC generator, and missed by nobody here.
            manager.StatPrefix = name;
        }

        notes.AddRange(WireMessage.Validate(manager, any.Value, HttpConnectionManager.Parser, HcmPath));
        notes.AddRange(NotHonoured(listener, "", _named));
        notes.AddRange(NotHonoured(manager, HcmPath + ".", Honoured));
        if (manager.CommonHttpProtocolOptions is { } common)
        {
            notes.AddRange(NotHonoured(common, HcmPath + ".common_http_protocol_options.", ["max_stream_duration"]));
        }

        if (Router(manager) is { } router)
        {
            notes.AddRange(NotHonoured(router, HcmPath + ".http_filters.", _routerHonoured));
        }

        // Both decide whom later filters believe the caller to be (gRFC A41).
        if (manager.XffNumTrustedHops != 0)
        {
            throw new ResourceRejectedException(HcmPath + ".xff_num_trusted_hops", "must be 0 on an API listener");
        }

        if (manager.OriginalIpDetectionExtensions.Count > 0)
        {
            throw new ResourceRejectedException(HcmPath + ".original_ip_detection_extensions", "must be empty on an API listener");
        }

        var filters = ListenerFilterCompiler.Compile(manager.HttpFilters, HcmPath + ".http_filters", filterTypes, notes);

        var settings = Settings(manager, notes);

        switch (manager.RouteSpecifierCase)
        {
            case HttpConnectionManager.RouteSpecifierOneofCase.Rds:
                if (manager.Rds.RouteConfigName.Length == 0)
                {
                    throw new ResourceRejectedException(HcmPath + ".rds.route_config_name", "must not be empty");
                }

                if (manager.Rds.ConfigSource?.ConfigSourceSpecifierCase is not (Envoy.Config.Core.V3.ConfigSource.ConfigSourceSpecifierOneofCase.Ads
                    or Envoy.Config.Core.V3.ConfigSource.ConfigSourceSpecifierOneofCase.Self))
                {
                    throw new ResourceRejectedException(HcmPath + ".rds.config_source", "must be ads or self");
                }

                return new ListenerResource(name, manager.Rds.RouteConfigName, null) { Notes = notes, Filters = filters, Settings = settings };
            case HttpConnectionManager.RouteSpecifierOneofCase.RouteConfig:
                var routes = RouteConfigurationType.Compile(manager.RouteConfig, HcmPath + ".route_config.", filterTypes);
                return new ListenerResource(name, null, routes) { Notes = [.. notes, .. routes.Notes], Filters = filters, Settings = settings };
            case HttpConnectionManager.RouteSpecifierOneofCase.ScopedRoutes:
                throw new ResourceRejectedException(HcmPath + ".scoped_routes", "scoped routes are not supported; use rds or route_config");
            default:
                throw new ResourceRejectedException(HcmPath, "one of rds and route_config must be set");
        }
    }

    private static ListenerSettings Settings(HttpConnectionManager manager, ICollection<string> notes)
    {
        var router = Router(manager);
        return new ListenerSettings
        {
            SuppressEnvoyHeaders = router?.SuppressEnvoyHeaders ?? false,
            RespectsExpectedTimeout = router?.RespectExpectedRqTimeout ?? false,
            StreamIdleTimeout = TimeoutPolicyCompiler.Value(manager.StreamIdleTimeout, HcmPath + ".stream_idle_timeout") ?? TimeSpan.Zero,
            MaxStreamDuration = TimeoutPolicyCompiler.Value(
                manager.CommonHttpProtocolOptions?.MaxStreamDuration, HcmPath + ".common_http_protocol_options.max_stream_duration") ?? TimeSpan.Zero,
            Signals = new SignalSettings
            {
                StatPrefix = manager.StatPrefix,
                Tracing = TracingCompiler.Compile(manager, HcmPath, notes),
                Stats = StatsSettingsCompiler.Find(manager.HttpFilters, HcmPath + ".http_filters", notes),
                AccessLogs = AccessLogCompiler.Compile(manager.AccessLog, HcmPath + ".access_log", notes, ofRequests: true),
            },
        };
    }

    // What an in-process client has no use for, or does not do yet: said once, so that nobody believes in it.
    private static IEnumerable<string> NotHonoured(IMessage message, string path, HashSet<string> honoured)
        => message.Descriptor.Fields.InDeclarationOrder()
            .Where(f => !honoured.Contains(f.Name) && f.Accessor.GetValue(message) is { } value && !IsDefault(value))
            .Select(f => $"{path}{f.Name} is not applied to outbound requests of this process");

    private static EnvoyRouter? Router(HttpConnectionManager manager)
        => manager.HttpFilters.LastOrDefault(f => f.TypedConfig?.Is(EnvoyRouter.Descriptor) == true)?.TypedConfig.Unpack<EnvoyRouter>();

    private static bool IsDefault(object value)
        => value switch
        {
            System.Collections.ICollection { Count: 0 } or false or "" => true,
            Enum e => Convert.ToInt32(e, System.Globalization.CultureInfo.InvariantCulture) == 0,
            uint n => n == 0,
            _ => false,
        };
}
