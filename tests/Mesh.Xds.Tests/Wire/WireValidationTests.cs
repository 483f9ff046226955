using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Rbac.V3;
using Envoy.Config.Route.V3;
using Envoy.Type.Matcher.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.Xds.Client;
using Mesh.Xds.Validation;

namespace Mesh.Xds.Tests.Wire;

/// <summary>What breaks a published rule is refused with the path of the field.</summary>
public sealed class WireValidationTests
{
    public static TheoryData<string, string, IMessage> Invalid => new()
    {
        { "name", "must not be empty", new Cluster() },
        { "connect_timeout", "must be greater than 0s", new Cluster { Name = "c", ConnectTimeout = Duration.FromTimeSpan(TimeSpan.Zero) } },
        { "type", "has the value 77", new Cluster { Name = "c", Type = (Cluster.Types.DiscoveryType)77 } },
        { "cluster_name", "must not be empty", new ClusterLoadAssignment() },
        { "virtual_hosts[1].domains", "must have at least 1 item", Routes(new VirtualHost { Name = "a", Domains = { "*" } }, new VirtualHost { Name = "b" }) },
        { "virtual_hosts[0].domains[1]", "does not allow", Routes(new VirtualHost { Name = "a", Domains = { "*", "a\r\nb" } }) },
        { "virtual_hosts[0].routes[0].match", "must be set", Routes(Host(new Route { Route_ = new RouteAction { Cluster = "c" } })) },
        { "virtual_hosts[0].routes[0].match.path_specifier", "one of prefix, path", Routes(Host(new Route { Match = new RouteMatch(), Route_ = new RouteAction { Cluster = "c" } })) },
        { "virtual_hosts[0].routes[0].action", "must be set", Routes(Host(new Route { Match = new RouteMatch { Prefix = "/" } })) },
        { "virtual_hosts[0].routes[0].match.path_separated_prefix", "does not allow", Routes(Host(Matching(new RouteMatch { PathSeparatedPrefix = "/a/" }))) },
        { "virtual_hosts[0].routes[0].match.headers[0].name", "must not be empty", Routes(Host(Matching(new RouteMatch { Prefix = "/", Headers = { new HeaderMatcher { PresentMatch = true } } }))) },
        { "policies[\"p\"].permissions", "must have at least 1 item", new RBAC { Policies = { ["p"] = new Policy { Principals = { new Principal { Any = true } } } } } },
        { "policies[\"p\"].permissions[0].any", "must be true", Rbac(new Permission { Any = false }) },
        { "policies[\"p\"].permissions[0].destination_port", "must be at most 65535", Rbac(new Permission { DestinationPort = 70_000 }) },
        { "policies[\"p\"].permissions[0].not_rule.rule", "one of and_rules", Rbac(new Permission { NotRule = new Permission() }) },
        { "address.socket_address.port_specifier", "one of port_value", new Listener { Name = "l", Address = new Address { SocketAddress = new SocketAddress { Address = "::1" } } } },
        { "match_pattern", "one of exact", new StringMatcher() },
    };

    [Theory]
    [MemberData(nameof(Invalid), DisableDiscoveryEnumeration = true)]
    public void A_broken_rule_is_named_with_its_path(string path, string reason, IMessage message)
    {
        var rejected = Should.Throw<ResourceRejectedException>(() => WireValidation.Validate(message));

        rejected.Field.ShouldBe(path);
        rejected.Reason.ShouldContain(reason);
    }

    [Fact]
    public void What_keeps_all_rules_passes()
    {
        WireValidation.Validate(new Cluster { Name = "c", ConnectTimeout = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(1)) });
        WireValidation.Validate(Routes(Host(Matching(new RouteMatch { Prefix = "" }))));
        WireValidation.Validate(Rbac(new Permission { Any = true }));
        WireValidation.Validate(new ClusterLoadAssignment { ClusterName = "c", Endpoints = { new LocalityLbEndpoints { LoadBalancingWeight = 1, Priority = 128 } } });
    }

    [Fact]
    public void A_wrapped_number_is_checked_when_it_is_there()
    {
        var assignment = new ClusterLoadAssignment { ClusterName = "c", Endpoints = { new LocalityLbEndpoints { LoadBalancingWeight = 0 } } };

        Should.Throw<ResourceRejectedException>(() => WireValidation.Validate(assignment)).Field.ShouldBe("endpoints[0].load_balancing_weight");
    }

    [Fact]
    public void What_is_inside_any_is_not_looked_at() =>
        WireValidation.Validate(new TypedExtensionConfig { Name = "x", TypedConfig = Any.Pack(new Cluster()) });

    [Fact]
    public void Messages_without_rules_pass() => WireValidation.Validate(new Struct { Fields = { ["a"] = Value.ForNull() } });

    private static RouteConfiguration Routes(params VirtualHost[] hosts) => new() { Name = "r", VirtualHosts = { hosts } };

    private static VirtualHost Host(Route route) => new() { Name = "a", Domains = { "*" }, Routes = { route } };

    private static Route Matching(RouteMatch match) => new() { Match = match, Route_ = new RouteAction { Cluster = "c" } };

    private static RBAC Rbac(Permission permission) =>
        new() { Policies = { ["p"] = new Policy { Permissions = { permission }, Principals = { new Principal { Any = true } } } } };
}
