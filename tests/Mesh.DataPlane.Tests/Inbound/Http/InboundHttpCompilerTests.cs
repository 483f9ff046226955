using Envoy.Config.Core.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Http.Router.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Inbound.Http;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Tests.Inbound.Http;

public sealed class InboundHttpCompilerTests
{
    [Fact]
    public void Reads_the_listener_that_grpc_servers_get()
    {
        var http = Compile(_ => { }, out var notes);

        http.Routes.VirtualHosts[0].Routes[0].Action.ToApplication.ShouldBeTrue();
        http.Filters.ShouldBeEmpty();
        notes.ShouldBeEmpty();
    }

    [Fact]
    public void An_inbound_cluster_is_the_application()
        => Compile(m => m.RouteConfig = Resources.Routes("inbound|9080||", Resources.Prefix("/", "inbound|9080||")), out _).Routes.VirtualHosts[0].Routes[0].Action.ToApplication.ShouldBeTrue();

    [Fact]
    public void Another_cluster_is_refused_with_its_place()
        => Refused(m => m.RouteConfig = Resources.Routes("r", Resources.Prefix("/", "outbound|80||a")))
            .ShouldBe("hcm.route_config.virtual_hosts[0].routes[0].route.cluster");

    [Fact]
    public void Weighted_clusters_are_refused() => Refused(m => m.RouteConfig = Resources.Routes("r", Resources.Split(("inbound|80||", 1)))).ShouldEndWith("route.cluster");

    [Fact]
    public void A_rewrite_is_refused()
        => Refused(m =>
        {
            m.RouteConfig = Resources.Routes("r", Resources.Prefix("/a", "inbound|9080||"));
            m.RouteConfig.VirtualHosts[0].Routes[0].Route_.PrefixRewrite = "/b";
        }).ShouldBe("hcm.route_config.virtual_hosts[0].routes[0].route");

    [Theory]
    [InlineData("rds")]
    [InlineData("original_ip_detection_extensions")]
    [InlineData("early_header_mutation_extensions")]
    [InlineData("forward_client_cert_matcher")]
    [InlineData("path_normalization_options")]
    [InlineData("typed_header_validation_config")]
    public void What_decides_who_is_believed_is_refused_where_it_is_not_known(string field)
        => Refused(m => Decoding.Fields.FieldSamples.Set(m, HttpConnectionManager.Descriptor.FindFieldByName(field))).ShouldStartWith("hcm." + field);

    [Fact]
    public void What_a_route_says_of_the_way_to_an_upstream_is_told()
    {
        Compile(
            m =>
            {
                m.RouteConfig = Resources.Routes("r", Resources.Prefix("/", "inbound|9080||"));
                m.RouteConfig.VirtualHosts[0].Routes[0].Route_.RetryPolicy = new Envoy.Config.Route.V3.RetryPolicy { RetryOn = "5xx" };
            },
            out var notes);

        notes.ShouldContain(n => n.Contains("retry_policy", StringComparison.Ordinal));
    }

    [Fact]
    public void Header_names_that_can_be_checked_are_those_of_the_router()
        => Refused(m => m.HttpFilters[0].TypedConfig = Any.Pack(new Router { StrictCheckHeaders = { "x-mine" } })).ShouldEndWith("strict_check_headers");

    [Fact]
    public void The_defaults_are_envoys()
    {
        var settings = Compile(_ => { }, out _).Settings;

        settings.NormalizesPath.ShouldBeFalse();
        settings.EscapedSlashes.ShouldBe(EscapedSlashesAction.Keep);
        settings.Signals.Tracing.RequestIds.Generates.ShouldBeTrue();
        settings.InternalAddresses.ShouldBeEmpty();
        settings.ClientCert.Action.ShouldBe(ForwardedClientCertAction.Sanitize);
    }

    [Fact]
    public void Bits_behind_a_prefix_count_for_nothing()
        => Compile(m => m.InternalAddressConfig = new() { CidrRanges = { new CidrRange { AddressPrefix = "10.1.2.3", PrefixLen = 8 } } }, out _)
            .Settings.InternalAddresses.ShouldHaveSingleItem().ToString().ShouldBe("10.0.0.0/8");

    private static string Refused(Action<HttpConnectionManager> configure) => Should.Throw<ResourceRejectedException>(() => Compile(configure, out _)).Field;

    private static InboundHttp Compile(Action<HttpConnectionManager> configure, out List<string> notes)
    {
        var manager = new HttpConnectionManager
        {
            RouteConfig = new RouteConfiguration
            {
                Name = "inbound",
                VirtualHosts = { new VirtualHost { Name = "inbound", Domains = { "*" }, Routes = { new Route { Match = new RouteMatch { Prefix = "/" }, NonForwardingAction = new() } } } },
            },
            HttpFilters = { new HttpFilter { Name = "envoy.filters.http.router", TypedConfig = Any.Pack(new Router()) } },
        };
        configure(manager);
        notes = [];
        return InboundHttpCompiler.Compile(Any.Pack(manager), "hcm", FilterTypes.BuiltIn, notes);
    }
}
