using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Telemetry.Metrics;
using Mesh.DataPlane.Telemetry.Peers;
using Stats;

namespace Mesh.DataPlane.Tests.Telemetry.Metrics;

public sealed class StatsSettingsTests
{
    [Fact]
    public void A_listener_without_the_filter_is_counted_as_by_default()
        => Decode(null).Settings.Signals.Stats.ShouldBeNull();

    [Fact]
    public void The_filter_is_read_as_a_message_and_as_a_struct_and_is_no_filter_of_requests()
    {
        var message = new PluginConfig { DisableHostHeaderFallback = true, TcpReportingDuration = Duration.FromTimeSpan(TimeSpan.FromSeconds(9)), RotationInterval = Duration.FromTimeSpan(TimeSpan.FromMinutes(10)) };
        var asStruct = new global::Xds.Type.V3.TypedStruct { TypeUrl = "type.googleapis.com/stats.PluginConfig", Value = Struct.Parser.ParseJson(JsonFormatter.Default.Format(message)) };

        foreach (var config in (IMessage[])[message, asStruct])
        {
            var listener = Decode(config);
            var stats = listener.Settings.Signals.Stats.ShouldNotBeNull();
            stats.DisableHostHeaderFallback.ShouldBeTrue();
            stats.TcpReportingDuration.ShouldBe(TimeSpan.FromSeconds(9));
            stats.RotationInterval.ShouldBe(TimeSpan.FromMinutes(10));
            stats.GracefulDeletionInterval.ShouldBe(TimeSpan.FromMinutes(5));
            listener.Filters.ShouldBeEmpty();
            listener.Notes.ShouldBeEmpty();
        }
    }

    [Fact]
    public void What_is_not_done_is_told()
    {
        var notes = Decode(new PluginConfig
        {
            Debug = true,
            StatPrefix = "acme",
            MaxPeerCacheSize = 3,
            Reporter = global::Stats.Reporter.ServerGateway,
            Metrics =
            {
                new MetricConfig { Match = "true", TagsToRemove = { "colour" }, Dimensions = { ["bad"] = "request.host +", ["not-a-label"] = "'x'", ["__meta"] = "'x'" } },
            },
            Definitions = { new MetricDefinition { Name = "requests_total", Value = "1" }, new MetricDefinition { Name = "own", Value = "nothing.there" } },
        }).Notes;

        foreach (var told in (string[])
            ["debug", "stat_prefix", "max_peer_cache_size", "reporter", "match", "'colour' is not a standard label", "dimensions['bad']", "'not-a-label'", "'__meta'", "definitions[0].name", "definitions[1].value"])
        {
            notes.ShouldContain(note => note.Contains(told), told);
        }
    }

    [Fact]
    public void Label_sets_that_would_go_before_they_are_scraped_are_refused()
        => Should.Throw<Mesh.Xds.Client.ResourceRejectedException>(() => Compile(new PluginConfig
        {
            RotationInterval = Duration.FromTimeSpan(TimeSpan.FromMinutes(1)),
            GracefulDeletionInterval = Duration.FromTimeSpan(TimeSpan.FromMinutes(1)),
        })).Message.ShouldContain("graceful_deletion_interval");

    [Fact]
    public void Metrics_are_dropped_and_labels_removed_replaced_and_added_as_Telemetry_says()
    {
        var listener = new MeasuredListener(settings: Compile(new PluginConfig
        {
            Metrics =
            {
                new MetricConfig { Name = "request_bytes", Drop = true },
                new MetricConfig { TagsToRemove = { "source_principal", "response_flags" } },
                new MetricConfig
                {
                    Name = "requests_total",
                    Dimensions = { ["request_host"] = "request.host", ["request_method"] = "request.method", ["destination_cluster"] = "has(request.headers['x-none']) ? 'a' : 'b' + 'c'", ["none"] = "request.headers['x-none']" },
                },
            },
        }));

        listener.Request();

        Exposition.Lines(listener.Registry, "istio_request_bytes").ShouldBeEmpty();
        var labels = Exposition.Labels(listener.Registry, "istio_requests_total");
        labels.ShouldNotContainKey("source_principal");
        labels.ShouldNotContainKey("response_flags");
        labels["request_host"].ShouldBe("reviews:9080");
        labels["request_method"].ShouldBe("GET");
        labels["destination_cluster"].ShouldBe("bc");
        labels["none"].ShouldBe("unknown");
        var count = Exposition.Labels(listener.Registry, "istio_response_bytes_count");
        count.ShouldNotContainKey("source_principal");
        count.ShouldNotContainKey("request_host");
        count["destination_cluster"].ShouldBe("unknown");
    }

    [Fact]
    public void A_label_whose_expression_cannot_be_read_is_left_out()
    {
        var listener = new MeasuredListener(settings: Compile(new PluginConfig { Metrics = { new MetricConfig { Dimensions = { ["source_app"] = "((", ["extra"] = "((" } } } }));

        listener.Request();

        var labels = Exposition.Labels(listener.Registry, "istio_requests_total");
        labels.ShouldNotContainKey("source_app");
        labels.ShouldNotContainKey("extra");
    }

    [Fact]
    public void An_operators_own_metrics_count_what_they_are_told_to()
    {
        var listener = new MeasuredListener(settings: Compile(new PluginConfig
        {
            Definitions =
            {
                new MetricDefinition { Name = "own_total", Value = "response.code == 503 ? 1 : 0", Type = MetricType.Counter },
                new MetricDefinition { Name = "own_bytes", Value = "response.size", Type = MetricType.Histogram },
                new MetricDefinition { Name = "last_code", Value = "response.code", Type = MetricType.Gauge },
            },
            Metrics = { new MetricConfig { Name = "own_total", Dimensions = { ["method"] = "request.method" } } },
        }));

        listener.Request();
        listener.Request(r => (r.Status, r.ResponseBytes) = (503, 42));

        Exposition.Lines(listener.Registry, "istio_own_total").ShouldBe(["istio_own_total{method=\"GET\"} 1"]);
        Exposition.Lines(listener.Registry, "istio_own_bytes_sum").ShouldBe(["istio_own_bytes_sum 42"]);
        Exposition.Lines(listener.Registry, "istio_last_code").ShouldBe(["istio_last_code 503"]);
    }

    [Fact]
    public void Values_of_expressions_do_not_grow_without_end()
    {
        var settings = Compile(new PluginConfig { Metrics = { new MetricConfig { Name = "requests_total", Dimensions = { ["path"] = "request.path" } } } });
        var listener = new MeasuredListener(settings: settings, maxSeries: 20);
        for (var i = 0; i < 1_000; i++)
        {
            listener.Request(r => r.Path = $"/{i}/{new string('x', 5_000)}");
        }

        var lines = Exposition.Lines(listener.Registry, "istio_requests_total");
        lines.Length.ShouldBe(21);
        lines.ShouldContain(line => line.Contains("path=\"overflow\"") && line.EndsWith("} 980"));
        lines.ShouldAllBe(line => line.Length < 1_500);
    }

    [Fact]
    public void Listeners_with_other_labels_show_their_own_under_one_name()
    {
        var listener = new MeasuredListener();
        var other = listener.Metrics.Requests(Compile(new PluginConfig { Metrics = { new MetricConfig { TagsToRemove = { "source_app" } } } }), Mesh.DataPlane.Telemetry.Reporter.Source, null);
        listener.Request();
        var record = RequestRecord.Rent(new RequestSignals(Mesh.DataPlane.Telemetry.Reporter.Source, [other], null, listener.Time));
        record.Release();

        Exposition.Lines(listener.Registry, "istio_requests_total").Length.ShouldBe(2);
        Exposition.Lines(listener.Registry, "# TYPE istio_requests_total").Length.ShouldBe(1);
    }

    [Fact]
    public void Label_sets_that_nobody_counts_in_go_when_they_rotate_and_those_in_use_stay()
    {
        var listener = new MeasuredListener(settings: Compile(new PluginConfig
        {
            RotationInterval = Duration.FromTimeSpan(TimeSpan.FromMinutes(10)),
            GracefulDeletionInterval = Duration.FromTimeSpan(TimeSpan.FromMinutes(2)),
        }));
        listener.Request();
        listener.Request(r => r.Status = 500);
        listener.Time.Advance(TimeSpan.FromMinutes(10));
        Exposition.Lines(listener.Registry, "istio_requests_total").Length.ShouldBe(2);

        listener.Request();
        listener.Time.Advance(TimeSpan.FromMinutes(2));

        Exposition.Lines(listener.Registry, "istio_requests_total").ShouldHaveSingleItem().ShouldContain("response_code=\"200\"");
        Exposition.Lines(listener.Registry, "istio_requests_total").ShouldHaveSingleItem().ShouldEndWith("} 2");
        listener.Request(r => r.Status = 500);
        Exposition.Lines(listener.Registry, "istio_requests_total").Single(line => line.Contains("\"500\"")).ShouldEndWith("} 1");
    }

    [Fact]
    public void A_server_learns_its_service_from_the_chain_and_its_settings_from_the_filter()
    {
        var manager = Manager(new PluginConfig { Metrics = { new MetricConfig { Drop = true } } });
        var chain = new FilterChain
        {
            Filters = { new Filter { Name = "http", TypedConfig = Any.Pack(manager) } },
            Metadata = new Metadata
            {
                FilterMetadata =
                {
                    ["istio"] = Struct.Parser.ParseJson("""{"services":[{"host":"reviews.default.svc.cluster.local","name":"reviews","namespace":"default"}]}"""),
                },
            },
        };
        var listener = new Listener { Name = "inbound", TrafficDirection = TrafficDirection.Inbound, FilterChains = { chain } };

        var signals = ((ListenerResource)ListenerType.Instance.Decode(listener.ToByteString(), out _)).Inbound!.Chains[0].Http!.Settings.Signals;

        signals.Service.ShouldBe(new ServiceNames("reviews.default.svc.cluster.local", "reviews", "default"));
        signals.Stats!.Changes.ShouldHaveSingleItem().IsDropped.ShouldBeTrue();
    }

    private static StatsSettings Compile(PluginConfig config) => Decode(config).Settings.Signals.Stats.ShouldNotBeNull();

    private static ListenerResource Decode(IMessage? config)
        => (ListenerResource)ListenerType.Instance.Decode(new Listener { Name = "l", ApiListener = new ApiListener { ApiListener_ = Any.Pack(Manager(config)) } }.ToByteString(), out _);

    private static HttpConnectionManager Manager(IMessage? config)
    {
        var manager = new HttpConnectionManager { StatPrefix = "s", RouteConfig = Resources.Routes("r", Resources.Prefix("/", "inbound|9080||")) };
        if (config is not null)
        {
            manager.HttpFilters.Add(new HttpFilter { Name = "istio.stats", TypedConfig = Any.Pack(config) });
        }

        manager.HttpFilters.Add(new HttpFilter { Name = "router", TypedConfig = Any.Pack(new Envoy.Extensions.Filters.Http.Router.V3.Router()) });
        return manager;
    }
}
