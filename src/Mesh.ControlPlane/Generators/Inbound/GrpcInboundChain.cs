using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.ControlPlane.Generators.Authorization;
using Mesh.ControlPlane.Model;
using Mesh.ControlPlane.Model.Policies;
using Action = Istio.Security.V1Beta1.AuthorizationPolicy.Types.Action;
using HttpRbac = Envoy.Extensions.Filters.Http.Rbac.V3.RBAC;
using Mode = Istio.Security.V1Beta1.PeerAuthentication.Types.MutualTLS.Types.Mode;
using RbacAction = Envoy.Config.Rbac.V3.RBAC.Types.Action;

namespace Mesh.ControlPlane.Generators.Inbound;

/// <summary>
/// The filter chain of a gRPC server, as Istio's gRPC generator sends it: TLS or none, as these libraries cannot tell the two apart; of policies those
/// that allow and those that deny.
/// </summary>
internal static class GrpcInboundChain
{
    private const string DenyFilterName = AuthorizationTranslator.HttpFilterName + ".DENY";

    public static FilterChain Of(Proxy proxy, MeshSettings mesh, InboundPort port, WorkloadPolicies policies)
    {
        var mode = policies.MutualTls.OfPort(port.Local.Declared);
        var isTls = mode == Mode.Strict || (mode == Mode.Permissive && proxy.Labels.GetValueOrDefault(TlsMode.Label) == TlsMode.Istio);
        var suffix = isTls ? "mtls" : "plaintext";
        return new FilterChain
        {
            Name = $"inbound-{suffix}",
            Filters =
            {
                new Filter
                {
                    Name = $"inbound-hcm{suffix}",
                    TypedConfig = Any.Pack(new HttpConnectionManager
                    {
                        RouteConfig = new RouteConfiguration
                        {
                            Name = "inbound",
                            VirtualHosts =
                            {
                                new VirtualHost
                                {
                                    Domains = { "*" },
                                    Routes = { new Route { Match = new RouteMatch { Prefix = "/" }, NonForwardingAction = new NonForwardingAction() } },
                                },
                            },
                        },
                        HttpFilters = { Authorization(mesh, port, policies), HttpFilters.RouterOf(default, proxy.Kind) },
                    }),
                },
            },
            TransportSocket = isTls
                ? WorkloadCertificates.Socket(new DownstreamTlsContext { CommonTlsContext = WorkloadCertificates.ForGrpc([]), RequireClientCertificate = true })
                : null,
        };
    }

    /// <remarks>
    /// Two things are not Istio's, whose gRPC servers would be open where others are closed, or closed where others only tell: a policy without rules
    /// allows nothing, and one on trial (<c>istio.io/dry-run</c>) is not enforced.
    /// </remarks>
    private static IEnumerable<HttpFilter> Authorization(MeshSettings mesh, InboundPort port, WorkloadPolicies policies)
    {
        var translator = new AuthorizationTranslator(policies, mesh.TrustDomains, port.Local);
        foreach (var (action, does, name) in new[] { (Action.Deny, RbacAction.Deny, DenyFilterName), (Action.Allow, RbacAction.Allow, AuthorizationTranslator.HttpFilterName) })
        {
            var enforced = policies.Of(action).Where(policy => !DryRun.IsOn(policy.Source)).ToArray();
            if (enforced.Length > 0)
            {
                var rules = translator.Rules(enforced, does, isHttp: true, (policy, rule) => $"{policy.Namespace}-{policy.Source.Name}-{rule}");
                yield return new HttpFilter { Name = name, TypedConfig = Any.Pack(new HttpRbac { Rules = rules }) };
            }
        }
    }
}
