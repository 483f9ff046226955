using System.Text.Json;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Http.Buffer.V3;
using Envoy.Extensions.Filters.Http.Fault.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Resources;
using Mesh.Filters;
using Mesh.Xds.Client;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xds.Type.V3;
using Xunit;
using Filter = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpFilter;

namespace Mesh.DataPlane.Tests.Filters;

/// <summary>What listeners and routes may say of filters, and what is refused when it arrives.</summary>
public sealed class DecodingTests
{
    private const string FaultName = "envoy.filters.http.fault";

    private static readonly Any Unknown = Any.Pack(new TypedStruct { TypeUrl = "type.googleapis.com/nobody.Knows" });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_unknown_filter_is_refused_disabled_or_not(bool disabled)
        => Refused(() => Listener(new Filter { Name = "x", TypedConfig = Unknown, Disabled = disabled }))
            .ShouldBe("api_listener.api_listener.http_filters[0]: 'x' (nobody.Knows) is not supported and not optional");

    [Fact]
    public void An_unknown_filter_that_is_optional_is_left_out_and_told()
    {
        var listener = Listener(new Filter { Name = "x", TypedConfig = Unknown, IsOptional = true });

        listener.Filters.ShouldBeEmpty();
        listener.Notes.ShouldHaveSingleItem().ShouldContain("the optional filter 'x' (nobody.Knows)");
    }

    [Fact]
    public void Istios_metrics_filter_decides_nothing_and_is_no_part_of_the_chain()
    {
        const string type = "type.googleapis.com/stats.PluginConfig";
        foreach (var config in new[] { Any.Pack(new Stats.PluginConfig()), Any.Pack(new TypedStruct { TypeUrl = type }), Any.Pack(new Udpa.Type.V1.TypedStruct { TypeUrl = type }) })
        {
            Listener(new Filter { Name = "istio.stats", TypedConfig = config }).Filters.ShouldBeEmpty();
        }
    }

    [Fact]
    public void A_filter_whose_configuration_is_to_be_fetched_elsewhere_is_refused()
        => Refused(() => Listener(new Filter { Name = "x", ConfigDiscovery = new() { ConfigSource = new() { Ads = new() }, TypeUrls = { "type.googleapis.com/t" } } }))
            .ShouldContain("(config_discovery) is not supported");

    [Fact]
    public void A_rule_of_a_filters_message_that_is_broken_is_told_by_its_path()
        => Refused(() => Listener(FilterMesh.Filter("b", new Envoy.Extensions.Filters.Http.Buffer.V3.Buffer())))
            .ShouldStartWith("api_listener.api_listener.http_filters[0].typed_config.max_request_bytes: ");

    [Fact]
    public void A_built_in_filter_may_be_written_as_a_struct()
    {
        var json = JsonParser.Default.Parse<Struct>("""{ "abort": { "http_status": 503, "percentage": { "numerator": 100 } } }""");
        var type = "type.googleapis.com/" + HTTPFault.Descriptor.FullName;

        Listener(new Filter { Name = "f", TypedConfig = Any.Pack(new TypedStruct { TypeUrl = type, Value = json }) }).Filters.ShouldHaveSingleItem().Name.ShouldBe("f");
        Listener(new Filter { Name = "f", TypedConfig = Any.Pack(new Udpa.Type.V1.TypedStruct { TypeUrl = type, Value = json }) }).Filters.Length.ShouldBe(1);

        json.Fields.Add("abrot", Value.ForBool(true));
        Refused(() => Listener(new Filter { Name = "f", TypedConfig = Any.Pack(new TypedStruct { TypeUrl = type, Value = json }) })).ShouldContain("abrot");
    }

    [Fact]
    public void An_unknown_configuration_of_a_route_is_refused_unless_it_is_optional()
    {
        var route = Resources.Prefix("/", "c");
        route.TypedPerFilterConfig.Add("x", Unknown);
        Refused(() => Routes(route)).ShouldBe("virtual_hosts[0].routes[0].typed_per_filter_config['x']: the type nobody.Knows is not supported for routes and not optional");

        route.TypedPerFilterConfig["x"] = Any.Pack(new FilterConfig { Config = Unknown });
        Refused(() => Routes(route)).ShouldStartWith("virtual_hosts[0].routes[0].typed_per_filter_config['x'].config: ");

        route.TypedPerFilterConfig["x"] = Any.Pack(new FilterConfig { Config = Unknown, IsOptional = true });
        Routes(route).Notes.ShouldHaveSingleItem().ShouldContain("typed_per_filter_config['x'].config is of the type nobody.Knows");
    }

    [Fact]
    public void A_filter_configuration_must_have_one_unless_it_disables()
    {
        var route = Resources.Prefix("/", "c");
        route.TypedPerFilterConfig.Add("x", Any.Pack(new FilterConfig()));

        Refused(() => Routes(route)).ShouldBe("virtual_hosts[0].routes[0].typed_per_filter_config['x'].config: must be set unless the filter is disabled");
    }

    [Fact]
    public void Every_level_is_checked()
    {
        var broken = Any.Pack(new BufferPerRoute());
        var routes = Resources.Routes("r", Resources.Split(("c", 1)));
        routes.TypedPerFilterConfig.Add("b", broken);
        Refused(() => Decode(routes)).ShouldStartWith("typed_per_filter_config['b']");

        routes.TypedPerFilterConfig.Clear();
        routes.VirtualHosts[0].TypedPerFilterConfig.Add("b", broken);
        Refused(() => Decode(routes)).ShouldStartWith("virtual_hosts[0].typed_per_filter_config['b']");

        routes.VirtualHosts[0].TypedPerFilterConfig.Clear();
        routes.VirtualHosts[0].Routes[0].Route_.WeightedClusters.Clusters[0].TypedPerFilterConfig.Add("b", broken);
        Refused(() => Decode(routes)).ShouldStartWith("virtual_hosts[0].routes[0].route.weighted_clusters.clusters[0].typed_per_filter_config['b']");
    }

    [Fact]
    public void Runtime_keys_are_told()
    {
        var route = Resources.Prefix("/", "c");
        route.TypedPerFilterConfig.Add(FaultName, Any.Pack(new HTTPFault { DelayPercentRuntime = "fault.delay" }));

        Routes(route).Notes.ShouldHaveSingleItem().ShouldContain("delay_percent_runtime is not looked up");
    }

    [Fact]
    public void An_applications_filter_that_throws_refuses_its_configuration()
    {
        var filters = Registered();

        Refused(() => Listener(filters, Own("""{ "limit": "much" }""")))
            .ShouldBe("api_listener.api_listener.http_filters[0].typed_config: Picky refuses its configuration: limit must be a number");
        Listener(filters, Own("""{ "limit": 5 }""")).Filters.Length.ShouldBe(1);
    }

    [Fact]
    public void An_applications_filter_without_a_configuration_needs_none()
        => Listener(Registered(), new Filter { Name = "plain", TypedConfig = new Any { TypeUrl = "type.googleapis.com/test.Plain" } }).Filters.Length.ShouldBe(1);

    [Fact]
    public void A_message_that_nobody_can_read_is_refused_with_the_way_out()
        => Refused(() => Listener(Registered(), new Filter
        {
            Name = "own",
            TypedConfig = new Any { TypeUrl = "type.googleapis.com/test.Picky", Value = ByteString.CopyFrom(8, 1) },
        }))
            .ShouldContain("send it as xds.type.v3.TypedStruct");

    [Fact]
    public void A_message_that_is_published_is_read_by_its_descriptor()
    {
        var filters = Registered();
        var config = new Envoy.Extensions.Filters.Http.ExtAuthz.V3.ExtAuthz { StatPrefix = "authz" };

        Listener(filters, FilterMesh.Filter("authz", config)).Filters.ShouldHaveSingleItem().Config.ShouldBeOfType<Authz>().Prefix.ShouldBe("authz");
    }

    private static FilterTypes Registered()
    {
        var services = new ServiceCollection();
        services.AddMeshFilter<Picky>("type.googleapis.com/test.Picky");
        services.AddMeshFilter<Plain>("test.Plain");
        services.AddMeshFilter<Authz>("type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz");
        var provider = services.BuildServiceProvider();
        return new FilterTypes(provider.GetServices<HttpFilterRegistration>(), provider);
    }

    private static Filter Own(string json)
        => new() { Name = "own", TypedConfig = Any.Pack(new TypedStruct { TypeUrl = "type.googleapis.com/test.Picky", Value = JsonParser.Default.Parse<Struct>(json) }) };

    private static ListenerResource Listener(params Filter[] filters) => Listener(FilterTypes.BuiltIn, filters);

    private static ListenerResource Listener(FilterTypes types, params Filter[] filters)
    {
        var listener = Resources.Listener("l", "r");
        var manager = listener.ApiListener.ApiListener_.Unpack<HttpConnectionManager>();
        for (var i = 0; i < filters.Length; i++)
        {
            manager.HttpFilters.Insert(i, filters[i]);
        }

        listener.ApiListener.ApiListener_ = Any.Pack(manager);
        return (ListenerResource)new ListenerType(types).Decode(listener.ToByteString(), out _);
    }

    private static RouteConfigurationResource Routes(params Route[] routes) => Decode(Resources.Routes("r", routes));

    private static RouteConfigurationResource Decode(RouteConfiguration routes)
        => (RouteConfigurationResource)RouteConfigurationType.Instance.Decode(routes.ToByteString(), out _);

    private static string Refused(Func<object> decode)
    {
        var rejection = Should.Throw<ResourceRejectedException>(() => decode());
        return $"{rejection.Field}: {rejection.Reason}";
    }

    public sealed class Picky : Mesh.Filters.HttpFilter
    {
        public Picky(JsonElement configuration)
        {
            if (configuration.GetProperty("limit").ValueKind != JsonValueKind.Number)
            {
                throw new ArgumentException("limit must be a number");
            }
        }
    }

    public sealed class Plain : Mesh.Filters.HttpFilter;

    public sealed class Authz(JsonElement configuration) : Mesh.Filters.HttpFilter
    {
        public string Prefix { get; } = configuration.GetProperty("stat_prefix").GetString()!;
    }
}
