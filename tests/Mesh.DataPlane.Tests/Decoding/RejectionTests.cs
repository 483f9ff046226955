using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Http.Router.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Envoy.Type.Matcher.V3;
using Envoy.Extensions.Filters.Network.TcpProxy.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Resources;
using Mesh.Xds.Client;
using RouteMatch = Envoy.Config.Route.V3.RouteMatch;

namespace Mesh.DataPlane.Tests.Decoding;

/// <summary>What is refused, and the path that the NACK carries.</summary>
public class RejectionTests
{
    private const string Hcm = "api_listener.api_listener";

    [Fact]
    public void A_listener_without_an_API_listener() => Listener(l => l.ApiListener = null, "api_listener");

    [Fact]
    public void A_listener_for_connections_is_taken_beside_those_for_requests()
    {
        var listener = TcpListener();
        var decoded = ListenerType.Instance.Decode(listener.ToByteString(), out _).ShouldBeOfType<ListenerResource>();

        decoded.Notes.ShouldBeEmpty();
        decoded.Tcp!.Chains.Count.ShouldBe(listener.FilterChains.Count);
        decoded.RouteConfigurationName.ShouldBeNull();
    }

    [Fact]
    public void A_listener_for_connections_whose_filter_leads_nowhere()
    {
        var listener = TcpListener();
        listener.FilterChains[0].Filters[0].TypedConfig = Any.Pack(new TcpProxy { StatPrefix = "x" });
        Should.Throw<ResourceRejectedException>(() => ListenerType.Instance.Decode(listener.ToByteString(), out _)).Message.ShouldContain("filter_chains[0].filters[0].typed_config");
    }

    private static Listener TcpListener() => new()
    {
        Name = "10.0.0.1_3306",
        FilterChains =
        {
            new FilterChain
            {
                Filters = { new Envoy.Config.Listener.V3.Filter { Name = "tcp", TypedConfig = Any.Pack(new TcpProxy { StatPrefix = "x", Cluster = "x" }) } },
            },
        },
    };

    [Fact]
    public void An_API_listener_that_is_no_connection_manager() => Listener(l => l.ApiListener.ApiListener_ = Any.Pack(new Router()), Hcm);

    [Fact]
    public void A_truncated_connection_manager()
        => Listener(l => l.ApiListener.ApiListener_.Value = ByteString.CopyFrom(l.ApiListener.ApiListener_.Value.Span[..^3]), Hcm);

    [Fact]
    public void Hops_that_are_trusted_by_number() => Manager(m => m.XffNumTrustedHops = 1, Hcm + ".xff_num_trusted_hops");

    [Fact]
    public void Scoped_routes() => Manager(m => m.ScopedRoutes = new ScopedRoutes { Name = "s", ScopedRds = new ScopedRds { ScopedRdsConfigSource = new ConfigSource() } }, Hcm + ".scoped_routes");

    [Fact]
    public void Routes_from_another_source_than_this_stream()
        => Manager(m => m.Rds.ConfigSource = new ConfigSource { PathConfigSource = new PathConfigSource { Path = "/etc/passwd" } }, Hcm + ".rds.config_source");

    [Fact]
    public void A_filter_that_is_not_known_and_not_optional()
        => Manager(m => m.HttpFilters.Insert(0, new HttpFilter { Name = "unknown", TypedConfig = Any.Pack(new FilterConfig()) }), Hcm + ".http_filters[0]");

    [Fact]
    public void Filters_without_a_terminal_one() => Manager(m => m.HttpFilters.Clear(), Hcm + ".http_filters");

    [Fact]
    public void A_filter_after_the_terminal_one()
        => Manager(m => m.HttpFilters.Add(new HttpFilter { Name = "late", IsOptional = true, TypedConfig = Any.Pack(new FilterConfig()) }), Hcm + ".http_filters[1]");

    [Fact]
    public void Two_filters_of_one_name()
        => Manager(m => m.HttpFilters.Insert(0, new HttpFilter { Name = "envoy.filters.http.router", IsOptional = true, TypedConfig = Any.Pack(new FilterConfig()) }), Hcm + ".http_filters[1].name");

    [Fact]
    public void An_optional_filter_that_is_not_known_is_left_out()
    {
        var listener = Resources.Listener("l", "r");
        Change(listener, m => m.HttpFilters.Insert(0, new HttpFilter { Name = "unknown", IsOptional = true, TypedConfig = Any.Pack(new FilterConfig()) }));
        Decode(ListenerType.Instance, listener).RouteConfigurationName.ShouldBe("r");
    }

    [Fact]
    public void The_same_domain_in_two_virtual_hosts()
        => Routes(c => c.VirtualHosts.Add(new VirtualHost { Name = "again", Domains = { "*" } }), "virtual_hosts[1].domains[0]");

    [Fact]
    public void A_star_in_the_middle_of_a_domain() => Routes(c => c.VirtualHosts[0].Domains[0] = "a*b", "virtual_hosts[0].domains[0]");

    [Fact]
    public void A_route_without_an_action() => Routes(c => c.VirtualHosts[0].Routes[0].ClearAction(), "virtual_hosts[0].routes[0].action");

    [Fact]
    public void A_path_that_is_not_set() => Match(m => m.ClearPathSpecifier(), "path_specifier");

    [Fact]
    public void A_match_on_CONNECT() => Match(m => m.ConnectMatcher = new(), "connect_matcher");

    [Fact]
    public void A_match_on_the_TLS_session() => Match(m => m.TlsContext = new(), "tls_context");

    [Fact]
    public void A_match_on_metadata_without_a_namespace() => Match(m => m.DynamicMetadata.Add(new MetadataMatcher
    {
        Path = { new MetadataMatcher.Types.PathSegment { Key = "k" } },
        Value = new ValueMatcher { BoolMatch = true },
    }), "dynamic_metadata[0].filter");

    [Fact]
    public void A_match_on_metadata_without_a_path() => Match(m => m.DynamicMetadata.Add(new MetadataMatcher { Filter = "f", Value = new ValueMatcher { BoolMatch = true } }), "dynamic_metadata[0].path");

    [Fact]
    public void A_match_on_metadata_that_asks_for_nothing() => Match(m => m.DynamicMetadata.Add(new MetadataMatcher
    {
        Filter = "f",
        Path = { new MetadataMatcher.Types.PathSegment { Key = "k" } },
    }), "dynamic_metadata[0].value");

    [Fact]
    public void A_regular_expression_made_to_explode() => Match(m => m.SafeRegex = new RegexMatcher { Regex = "((a{100}){100}){100}" }, "safe_regex.regex");

    [Fact]
    public void A_regular_expression_that_is_not_RE2() => Match(m => m.SafeRegex = new RegexMatcher { Regex = @"(a)\1" }, "safe_regex.regex");

    [Fact]
    public void Weights_that_sum_to_zero()
        => Routes(c => c.VirtualHosts[0].Routes[0] = Resources.Split(("a", 0), ("b", 0)), "virtual_hosts[0].routes[0].route.weighted_clusters");

    [Fact]
    public void Weights_that_sum_to_more_than_32_bits()
        => Routes(c => c.VirtualHosts[0].Routes[0] = Resources.Split(("a", uint.MaxValue), ("b", 1)), "virtual_hosts[0].routes[0].route.weighted_clusters");

    [Fact]
    public void A_body_from_a_file_of_this_process()
        => Routes(
            c => c.VirtualHosts[0].Routes[0] = new Route
            {
                Match = new RouteMatch { Prefix = "/" },
                DirectResponse = new DirectResponseAction { Status = 200, Body = new DataSource { Filename = "/etc/passwd" } },
            },
            "virtual_hosts[0].routes[0].direct_response.body");

    [Fact]
    public void A_cluster_of_a_transport_that_is_not_known()
        => Cluster(c => c.TransportSocket = new TransportSocket { Name = "envoy.transport_sockets.alts", TypedConfig = Any.Pack(new Envoy.Config.Route.V3.RouteMatch()) }, "transport_socket");

    [Fact]
    public void A_cluster_of_a_policy_that_is_not_known() => Cluster(c => c.LbPolicy = Envoy.Config.Cluster.V3.Cluster.Types.LbPolicy.ClusterProvided, "lb_policy");

    [Fact]
    public void A_cluster_whose_endpoints_come_from_elsewhere()
        => Cluster(c => c.EdsClusterConfig.EdsConfig = new ConfigSource { PathConfigSource = new PathConfigSource { Path = "/tmp/x" } }, "eds_cluster_config.eds_config");

    [Fact]
    public void An_endpoint_that_is_a_name() => Endpoints(e => e.Endpoint.Address.SocketAddress.Address = "evil.example", "endpoints[0].lb_endpoints[0].endpoint.address.socket_address.address");

    [Fact]
    public void An_endpoint_of_weight_zero() => Endpoints(e => e.LoadBalancingWeight = 0, "endpoints[0].lb_endpoints[0].load_balancing_weight");

    [Fact]
    public void A_matcher_with_a_field_that_is_not_known()
        => Refused(() => RouteConfigurationType.Instance.Decode(WithUnknownField(Resources.Routes("r", Resources.Prefix("/", "c")), c => c.VirtualHosts[0].Routes[0].Match), out _))
            .Field.ShouldBe("virtual_hosts[0].routes[0].match");

    [Fact]
    public void A_field_that_is_not_known_elsewhere_is_told_and_left_out()
    {
        var resource = (RouteConfigurationResource)RouteConfigurationType.Instance.Decode(
            WithUnknownField(Resources.Routes("r", Resources.Prefix("/", "c")), c => c.VirtualHosts[0]),
            out _);
        resource.Notes.ShouldHaveSingleItem().ShouldContain("virtual_hosts[0]");
    }

    // Unknown fields survive parsing and serializing; field 2047 exists nowhere.
    private static ByteString WithUnknownField<T>(T message, Func<T, IMessage> where)
        where T : IMessage
    {
        where(message).MergeFrom(new byte[] { 0xF8, 0x7F, 0x01 });
        return message.ToByteString();
    }

    private static void Listener(Action<Listener> change, string field)
    {
        var listener = Resources.Listener("l", "r");
        change(listener);
        Refused(() => Decode(ListenerType.Instance, listener)).Field.ShouldStartWith(field);
    }

    private static void Manager(Action<HttpConnectionManager> change, string field) => Listener(l => Change(l, change), field);

    private static void Change(Listener listener, Action<HttpConnectionManager> change)
    {
        var manager = listener.ApiListener.ApiListener_.Unpack<HttpConnectionManager>();
        change(manager);
        listener.ApiListener.ApiListener_ = Any.Pack(manager);
    }

    private static void Routes(Action<RouteConfiguration> change, string field)
    {
        var routes = Resources.Routes("r", Resources.Prefix("/", "c"));
        change(routes);
        Refused(() => Decode(RouteConfigurationType.Instance, routes)).Field.ShouldBe(field);
    }

    private static void Match(Action<RouteMatch> change, string field) => Routes(c => change(c.VirtualHosts[0].Routes[0].Match), "virtual_hosts[0].routes[0].match." + field);

    private static void Cluster(Action<Cluster> change, string field)
    {
        var cluster = Resources.Cluster("c");
        change(cluster);
        Refused(() => Decode(ClusterType.Instance, cluster)).Field.ShouldBe(field);
    }

    private static void Endpoints(Action<Envoy.Config.Endpoint.V3.LbEndpoint> change, string field)
    {
        var endpoints = Resources.Endpoints("c", 80);
        change(endpoints.Endpoints[0].LbEndpoints[0]);
        Refused(() => Decode(EndpointsType.Instance, endpoints)).Field.ShouldBe(field);
    }

    private static T Decode<T>(ResourceType<T> type, IMessage message)
        where T : class => (T)type.Decode(message.ToByteString(), out _);

    private static ResourceRejectedException Refused(Action decode) => Should.Throw<ResourceRejectedException>(decode);
}
