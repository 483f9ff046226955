using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.ControlPlane.Generators.Authorization;
using Mesh.ControlPlane.Generators.Signals;
using Mesh.ControlPlane.Model;
using Mesh.ControlPlane.Model.Policies;
using ClientCertDetails = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.Types.SetCurrentClientCertDetails;
using ForwardDetails = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.Types.ForwardClientCertDetails;

namespace Mesh.ControlPlane.Generators.Inbound;

/// <summary>What happens to requests at a port of an application's own process: external authorizers, tokens, policies, then the application.</summary>
internal sealed class InboundConnectionManager(
    Proxy proxy, ConfigIndex config, InboundPort port, WorkloadPolicies policies, AuthorizationTranslator authorization, ListenerSignals signals)
{
    private const string FilterName = "envoy.filters.network.http_connection_manager";

    public Filter Filter()
    {
        var isOfService = port.Service is not null;
        var routes = isOfService ? $"inbound|{port.Declared}||" : InboundChains.PassthroughCluster;
        var own = config.ProxyConfigs.Of(proxy);
        var headers = own.Headers;
        var details = headers?.SetCurrentClientCertDetails;
        var manager = new HttpConnectionManager
        {
            StatPrefix = isOfService ? $"inbound_0.0.0.0_{port.Declared}" : routes,
            RouteConfig = new RouteConfiguration
            {
                Name = routes,
                ValidateClusters = false,
                VirtualHosts =
                {
                    new VirtualHost
                    {
                        Name = $"inbound|http|{port.ServicePort?.Number ?? 0}",
                        Domains = { "*" },
                        Routes = { new Route { Name = "default", Match = new RouteMatch { Prefix = "/" }, NonForwardingAction = new NonForwardingAction() } },
                    },
                },
            },
            UseRemoteAddress = false,
            ForwardClientCertDetails = Forwarded(headers?.ForwardedClientCert ?? default),
            SetCurrentClientCertDetails = new ClientCertDetails
            {
                Subject = details?.Subject ?? true,
                Dns = details?.Dns ?? true,
                Uri = details?.Uri ?? true,
                Cert = details?.Cert ?? false,
                Chain = details?.Chain ?? false,
            },
            StreamIdleTimeout = new Duration(),
            UpgradeConfigs = { new HttpConnectionManager.Types.UpgradeConfig { UpgradeType = "websocket" } },
            HttpFilters =
            {
                CustomPolicies.HttpFilters(proxy, config, policies, authorization),
                JwtTranslator.Filters(proxy, config, policies),
                authorization.HttpFilters(),
                signals.HttpFilters,
                HttpFilters.RouterOf(own.EnvoyHeaders, proxy.Kind),
            },
        };
        signals.ApplyTo(manager);
        PathNormalization.ApplyInbound(manager, config.Mesh.PathNormalization);
        return new Filter { Name = FilterName, TypedConfig = Any.Pack(manager) };
    }

    /// <summary>What becomes of <c>x-forwarded-client-cert</c>, as <c>proxyHeaders</c> say; Istio's default at workloads appends.</summary>
    private static ForwardDetails Forwarded(Istio.Mesh.V1Alpha1.ForwardClientCertDetails details) => details switch
    {
        Istio.Mesh.V1Alpha1.ForwardClientCertDetails.Sanitize => ForwardDetails.Sanitize,
        Istio.Mesh.V1Alpha1.ForwardClientCertDetails.ForwardOnly => ForwardDetails.ForwardOnly,
        Istio.Mesh.V1Alpha1.ForwardClientCertDetails.SanitizeSet => ForwardDetails.SanitizeSet,
        Istio.Mesh.V1Alpha1.ForwardClientCertDetails.AlwaysForwardOnly => ForwardDetails.AlwaysForwardOnly,
        _ => ForwardDetails.AppendForward,
    };
}
