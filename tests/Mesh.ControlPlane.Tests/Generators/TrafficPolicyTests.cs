using Envoy.Config.Cluster.V3;
using Google.Protobuf;
using Mesh.ControlPlane.Generators;

namespace Mesh.ControlPlane.Tests.Generators;

/// <summary>Every field of a traffic policy that ends in a cluster, with the value that Istio generates for it.</summary>
public class TrafficPolicyTests
{
    private const string Name = "outbound|80||a.default.svc.cluster.local";

    private static Cluster With(string policy, string portName = "http", ProxyKind kind = ProxyKind.Mesh)
        => new TestMesh(
            TestDocuments.Service("a", $$"""{"name":"{{portName}}","port":80}"""),
            TestDocuments.DestinationRule("a", $$"""{"host":"a","trafficPolicy":{{policy}}}"""))
            .Cluster(Name, kind == ProxyKind.Mesh ? TestMesh.Mesh : TestMesh.Grpc);

    [Fact]
    public void Without_limits_nothing_trips()
        => TestMesh.ShouldBeJson(With("{}").CircuitBreakers, """
            {"thresholds":[{"max_connections":4294967295,"max_pending_requests":4294967295,"max_requests":4294967295,"max_retries":4294967295,
              "track_remaining":true}]}
            """);

    [Fact]
    public void The_limits_of_the_pool_are_the_thresholds()
        => TestMesh.ShouldBeJson(
            With("""{"connectionPool":{"tcp":{"maxConnections":1},"http":{"http1MaxPendingRequests":2,"http2MaxRequests":3,"maxRetries":4}}}""").CircuitBreakers,
            """{"thresholds":[{"max_connections":1,"max_pending_requests":2,"max_requests":3,"max_retries":4,"track_remaining":true}]}""");

    [Fact]
    public void A_limit_of_zero_is_no_limit()
        => TestMesh.ShouldBeJson(
            With("""{"connectionPool":{"tcp":{"maxConnections":0},"http":{"maxRetries":0}}}""").CircuitBreakers,
            """
            {"thresholds":[{"max_connections":4294967295,"max_pending_requests":4294967295,"max_requests":4294967295,"max_retries":4294967295,
              "track_remaining":true}]}
            """);

    [Theory]
    [InlineData("""{"percent":30,"minRetryConcurrency":5,"budgetInterval":"2s"}""", """{"budget_percent":{"value":30},"budget_interval":"2s","min_retry_concurrency":5}""")]
    [InlineData("{}", """{"budget_percent":{"value":20},"min_retry_concurrency":3}""")]
    public void A_retry_budget_has_Envoys_defaults(string budget, string expected)
        => TestMesh.ShouldBeJson(With($$$$"""{"retryBudget":{{{{budget}}}}}""").CircuitBreakers.Thresholds[0].RetryBudget, expected);

    [Fact]
    public void Connecting_takes_ten_seconds_at_most_unless_the_rule_says_otherwise()
    {
        With("{}").ConnectTimeout.ToTimeSpan().ShouldBe(TimeSpan.FromSeconds(10));
        With("""{"connectionPool":{"tcp":{"connectTimeout":"0.030s"}}}""").ConnectTimeout.ToTimeSpan().ShouldBe(TimeSpan.FromMilliseconds(30));
    }

    [Theory]
    [InlineData("""{"time":"7200s","interval":"75s","probes":9}""", """{"keepalive_time":7200,"keepalive_interval":75,"keepalive_probes":9}""")]
    [InlineData("""{"time":"600s"}""", """{"keepalive_time":600}""")]
    [InlineData("{}", "{}")]
    public void TCP_keepalive_is_asked_for_in_seconds(string keepalive, string expected)
        => TestMesh.ShouldBeJson(
            With($$$$"""{"connectionPool":{"tcp":{"tcpKeepalive":{{{{keepalive}}}}}}}""").UpstreamConnectionOptions.TcpKeepalive,
            expected);

    [Fact]
    public void Without_TCP_keepalive_there_are_no_connection_options() => With("{}").UpstreamConnectionOptions.ShouldBeNull();

    [Theory]
    [InlineData("""{"http":{"idleTimeout":"5s"}}""", """{ "idle_timeout": "5s" }""")]
    [InlineData("""{"tcp":{"idleTimeout":"7s"}}""", """{ "idle_timeout": "7s" }""")]
    [InlineData("""{"tcp":{"idleTimeout":"7s"},"http":{"idleTimeout":"5s"}}""", """{ "idle_timeout": "5s" }""")]
    [InlineData("""{"tcp":{"maxConnectionDuration":"60s"}}""", """{ "max_connection_duration": "60s" }""")]
    [InlineData("""{"http":{"maxRequestsPerConnection":1}}""", """{ "max_requests_per_connection": 1 }""")]
    public void What_ends_a_connection_stands_in_the_common_HTTP_options(string pool, string expected)
        => With($$$$"""{"connectionPool":{{{{pool}}}}}""").HttpOptions()
            .ShouldBe($$"""{ "common_http_protocol_options": {{expected}}, "explicit_http_config": { "http_protocol_options": { } } }""");

    [Theory]
    [InlineData("http", "UPGRADE", """{ "explicit_http_config": { "http2_protocol_options": { } } }""")]
    [InlineData("", "UPGRADE", """{ "explicit_http_config": { "http2_protocol_options": { } } }""")]
    [InlineData("tcp", "UPGRADE", """{ "explicit_http_config": { "http2_protocol_options": { } } }""")]
    [InlineData("http", "DO_NOT_UPGRADE", null)]
    [InlineData("http", "DEFAULT", null)]
    [InlineData("http2", "DO_NOT_UPGRADE", """{ "explicit_http_config": { "http2_protocol_options": { } } }""")]
    public void HTTP2_is_an_upgrade_and_never_a_downgrade(string port, string upgrade, string? expected)
        => With($$$$"""{"connectionPool":{"http":{"h2UpgradePolicy":"{{{{upgrade}}}}"}}}""", port).HttpOptions().ShouldBe(expected);

    [Theory]
    [InlineData("http")]
    [InlineData("http2")]
    public void The_clients_protocol_wins_over_the_ports(string port)
        => With("""{"connectionPool":{"http":{"useClientProtocol":true,"idleTimeout":"1s"}}}""", port).HttpOptions().ShouldBe(
            """{ "common_http_protocol_options": { "idle_timeout": "1s" }, "use_downstream_protocol_config": { "http_protocol_options": { }, "http2_protocol_options": { } } }""");

    [Fact]
    public void Streams_and_pings_are_settings_of_HTTP2()
    {
        const string Pool = """{"connectionPool":{"http":{"maxConcurrentStreams":100,"http2KeepAlive":{"interval":"30s","timeout":"5s"}}}}""";

        With(Pool, "http2").HttpOptions().ShouldBe(
            """{ "explicit_http_config": { "http2_protocol_options": { "max_concurrent_streams": 100, "connection_keepalive": { "interval": "30s", "timeout": "5s" } } } }""");
        With(Pool).HttpOptions().ShouldBeNull();
    }

    [Fact]
    public void Without_outlier_detection_none_is_sent()
    {
        var cluster = With("{}");

        cluster.OutlierDetection.ShouldBeNull();
        cluster.CommonLbConfig.HealthyPanicThreshold.ShouldBeNull();
    }

    [Theory]
    [InlineData("{}", """{"enforcing_success_rate":0}""")]
    [InlineData("""{"consecutive5xxErrors":7}""", """{"enforcing_success_rate":0,"consecutive_5xx":7,"enforcing_consecutive_5xx":100}""")]
    [InlineData("""{"consecutive5xxErrors":0}""", """{"enforcing_success_rate":0,"consecutive_5xx":0,"enforcing_consecutive_5xx":0}""")]
    [InlineData(
        """{"consecutiveGatewayErrors":3}""",
        """{"enforcing_success_rate":0,"consecutive_gateway_failure":3,"enforcing_consecutive_gateway_failure":100}""")]
    [InlineData(
        """{"consecutiveGatewayErrors":0}""",
        """{"enforcing_success_rate":0,"consecutive_gateway_failure":0,"enforcing_consecutive_gateway_failure":0}""")]
    [InlineData(
        """{"interval":"1s","baseEjectionTime":"180s","maxEjectionPercent":100}""",
        """{"enforcing_success_rate":0,"interval":"1s","base_ejection_time":"180s","max_ejection_percent":100}""")]
    [InlineData("""{"maxEjectionPercent":0}""", """{"enforcing_success_rate":0}""")]
    [InlineData(
        """{"splitExternalLocalOriginErrors":true,"consecutiveLocalOriginFailures":4}""",
        """
        {"enforcing_success_rate":0,"split_external_local_origin_errors":true,"enforcing_local_origin_success_rate":0,
         "consecutive_local_origin_failure":4,"enforcing_consecutive_local_origin_failure":100}
        """)]
    [InlineData(
        """{"splitExternalLocalOriginErrors":true}""",
        """{"enforcing_success_rate":0,"split_external_local_origin_errors":true,"enforcing_local_origin_success_rate":0}""")]
    [InlineData(
        """{"consecutiveErrors":1}""",
        """{"enforcing_success_rate":0,"consecutive_gateway_failure":1,"enforcing_consecutive_gateway_failure":100,"enforcing_consecutive_5xx":0}""")]
    public void Outlier_detection_enforces_what_the_rule_counts(string settings, string expected)
        => TestMesh.ShouldBeJson(With($$$$"""{"outlierDetection":{{{{settings}}}}}""").OutlierDetection, expected);

    [Theory]
    [InlineData("{}", 0)]
    [InlineData("""{"minHealthPercent":40}""", 40)]
    public void With_outlier_detection_panic_is_off_unless_a_health_percentage_is_given(string settings, double threshold)
        => With($$$$"""{"outlierDetection":{{{{settings}}}}}""").CommonLbConfig.HealthyPanicThreshold.Value.ShouldBe(threshold);

    [Fact]
    public void Error_codes_take_the_place_of_5xx()
    {
        With("""{"outlierDetection":{"outlierDetectionHttpErrorCodes":[429]}}""").HttpOptions().ShouldBe(
            """{ "explicit_http_config": { "http_protocol_options": { } }, "outlier_detection": { "error_matcher": """
            + """{ "http_response_headers_match": { "headers": [ { "name": ":status", "string_match": { "exact": "429" } } ] } } } }""");
        var two = With("""{"outlierDetection":{"outlierDetectionHttpErrorCodes":[429,503]}}""").HttpOptions().ShouldNotBeNull();
        two.ShouldContain("\"or_match\": { \"rules\": [");
        two.ShouldContain("\"exact\": \"429\"");
        two.ShouldContain("\"exact\": \"503\"");
    }

    [Theory]
    [InlineData("UNSPECIFIED", "LEAST_REQUEST")]
    [InlineData("LEAST_CONN", "LEAST_REQUEST")]
    [InlineData("LEAST_REQUEST", "LEAST_REQUEST")]
    [InlineData("RANDOM", "RANDOM")]
    [InlineData("ROUND_ROBIN", "ROUND_ROBIN")]
    public void Simple_load_balancers_go_by_Envoys_names(string simple, string expected)
        => Shown(With($$$$"""{"loadBalancer":{"simple":"{{{{simple}}}}"}}""")).ShouldBe($"EDS {expected} None");

    [Fact]
    public void Passing_through_asks_no_one_for_endpoints()
    {
        var cluster = With("""{"loadBalancer":{"simple":"PASSTHROUGH","warmupDurationSecs":"5s"}}""");

        Shown(cluster).ShouldBe("ORIGINAL_DST CLUSTER_PROVIDED None");
        cluster.EdsClusterConfig.ShouldBeNull();
        Shown(With("""{"loadBalancer":{"simple":"PASSTHROUGH"}}""", kind: ProxyKind.Grpc)).ShouldBe("EDS ROUND_ROBIN None");
    }

    [Theory]
    [InlineData("", "RING_HASH", """{ "minimum_ring_size": "1024" }""")]
    [InlineData(""","minimumRingSize":64""", "RING_HASH", """{ "minimum_ring_size": "64" }""")]
    [InlineData(""","ringHash":{"minimumRingSize":100000}""", "RING_HASH", """{ "minimum_ring_size": "100000" }""")]
    [InlineData(""","ringHash":{}""", "RING_HASH", "")]
    [InlineData(""","maglev":{"tableSize":1021}""", "MAGLEV", """{ "table_size": "1021" }""")]
    [InlineData(""","maglev":{}""", "MAGLEV", "")]
    public void Consistent_hashing_is_a_ring_or_Maglev(string algorithm, string policy, string config)
    {
        var cluster = With($$$$"""{"loadBalancer":{"consistentHash":{"useSourceIp":true{{{{algorithm}}}}}}}""");

        Named(cluster.LbPolicy).ShouldBe(policy);
        (cluster.LbConfigCase switch
        {
            Cluster.LbConfigOneofCase.RingHashLbConfig => TestMesh.Json(cluster.RingHashLbConfig),
            Cluster.LbConfigOneofCase.MaglevLbConfig => TestMesh.Json(cluster.MaglevLbConfig),
            _ => "",
        }).ShouldBe(config);
    }

    [Theory]
    [InlineData("ROUND_ROBIN", "RoundRobinLbConfig")]
    [InlineData("LEAST_REQUEST", "LeastRequestLbConfig")]
    [InlineData("UNSPECIFIED", "LeastRequestLbConfig")]
    [InlineData("RANDOM", "None")]
    public void New_endpoints_warm_up_where_the_balancer_has_weights(string simple, string expected)
    {
        var cluster = With($$$$"""{"loadBalancer":{"simple":"{{{{simple}}}}","warmupDurationSecs":"30s"}}""");

        cluster.LbConfigCase.ToString().ShouldBe(expected);
        if ((cluster.RoundRobinLbConfig?.SlowStartConfig ?? cluster.LeastRequestLbConfig?.SlowStartConfig) is { } slowStart)
        {
            TestMesh.ShouldBeJson(slowStart, """{"slow_start_window":"30s"}""");
        }
    }

    [Theory]
    [InlineData(
        """{"duration":"30s"}""",
        """{"slow_start_window":"30s","aggression":{"default_value":1,"runtime_key":"("},"min_weight_percent":{"value":10}}""")]
    [InlineData(
        """{"duration":"30s","aggression":1.5,"minimumPercent":20}""",
        """{"slow_start_window":"30s","aggression":{"default_value":1.5,"runtime_key":"("},"min_weight_percent":{"value":20}}""")]
    public void A_warm_up_says_how_steeply_and_from_where(string warmup, string expected)
        => TestMesh.ShouldBeJson(With($$$$"""{"loadBalancer":{"warmup":{{{{warmup}}}},"warmupDurationSecs":"1s"}}""").LeastRequestLbConfig.SlowStartConfig, expected);

    [Theory]
    [InlineData("""{}""", "EDS ROUND_ROBIN None")]
    [InlineData("""{"loadBalancer":{"simple":"ROUND_ROBIN","warmupDurationSecs":"5s"}}""", "EDS ROUND_ROBIN None")]
    [InlineData("""{"loadBalancer":{"simple":"RANDOM"}}""", "EDS ROUND_ROBIN None")]
    [InlineData("""{"loadBalancer":{"simple":"LEAST_REQUEST"}}""", "EDS LEAST_REQUEST None")]
    [InlineData("""{"loadBalancer":{"consistentHash":{"httpHeaderName":"x"}}}""", "EDS RING_HASH RingHashLbConfig")]
    [InlineData("""{"loadBalancer":{"consistentHash":{"httpHeaderName":"x","maglev":{"tableSize":1021}}}}""", "EDS RING_HASH RingHashLbConfig")]
    public void gRPC_gets_the_load_balancers_that_it_knows(string policy, string expected)
        => Shown(With(policy, kind: ProxyKind.Grpc)).ShouldBe(expected);

    [Fact]
    public void gRPC_gets_the_limit_of_requests_and_no_other_setting()
        => TestMesh.ShouldBeJson(
            With(
                """
                {"connectionPool":{"tcp":{"maxConnections":1,"connectTimeout":"1s"},"http":{"http2MaxRequests":3,"maxRetries":4,"idleTimeout":"1s"}},
                 "outlierDetection":{"consecutive5xxErrors":1}}
                """,
                kind: ProxyKind.Grpc),
            """
            {"name":"outbound|80||a.default.svc.cluster.local","type":"EDS",
             "eds_cluster_config":{"eds_config":{"ads":{},"resource_api_version":"V3"},"service_name":"outbound|80||a.default.svc.cluster.local"},
             "circuit_breakers":{"thresholds":[{"max_requests":3}]},"lrs_server":{"self":{},"resource_api_version":"V3"}}
            """);

    private static string Shown(Cluster cluster) => $"{Named(cluster.Type)} {Named(cluster.LbPolicy)} {cluster.LbConfigCase}";

    private static string Named(Enum value)
        => value switch
        {
            Cluster.Types.DiscoveryType type => Cluster.Descriptor.EnumTypes.Single(e => e.Name == "DiscoveryType").FindValueByNumber((int)type).Name,
            _ => Cluster.Descriptor.EnumTypes.Single(e => e.Name == "LbPolicy").FindValueByNumber(Convert.ToInt32(value, null)).Name,
        };
}
