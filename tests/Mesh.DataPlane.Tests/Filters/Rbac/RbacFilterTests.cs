using Mesh.DataPlane.Tests.Telemetry.Metrics;
using System.Text.Json.Nodes;
using Envoy.Config.Rbac.V3;
using Envoy.Extensions.Rbac.AuditLoggers.Stream.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Filters.Rbac;
using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Telemetry.AccessLogs;
using Mesh.Filters;
using Mesh.Testing;
using Mesh.Xds.Client;
using Mesh.Xds.Metrics;
using Microsoft.Extensions.Logging;
using Filter = Envoy.Extensions.Filters.Http.Rbac.V3.RBAC;
using PerRoute = Envoy.Extensions.Filters.Http.Rbac.V3.RBACPerRoute;

namespace Mesh.DataPlane.Tests.Filters.Rbac;

/// <summary>What the filter does with a verdict.</summary>
public sealed class RbacFilterTests
{
    private const string Metadata = "envoy.filters.http.rbac";

    private static readonly RbacFilterType _type = new();

    private readonly ManualTimeProvider _time = new();
    private readonly RecordedLog _log = new();
    private readonly FilterServices _services;

    public RbacFilterTests() => _services = new FilterServices(_time, new SequenceRandomSource(0)) { Logger = _log };

    [Fact]
    public async Task Who_is_denied_gets_Envoys_words_and_no_more()
    {
        var exchange = await Run(new Filter { Rules = RbacRules.One("DENY", RbacRules.Path("/secret")) }, new TestRequest("/secret?token=t0p"));

        var reply = exchange.Answer.ShouldNotBeNull();
        reply.Status.ShouldBe(403);
        reply.Body.ShouldBe("RBAC: access denied");
        reply.Body.Length.ShouldBe(19);
        reply.Details.ShouldBe("rbac_access_denied_matched_policy[p]");
        reply.Flags.ShouldBeEmpty();
        Counted().ShouldBe(["denied{prefix=\"\"} 1"]);
    }

    [Fact]
    public async Task Who_no_policy_allows_is_denied_by_none()
    {
        var exchange = await Run(new Filter { Rules = RbacRules.One("ALLOW", RbacRules.Path("/books")) }, new TestRequest("/secret"));

        exchange.Answer.ShouldNotBeNull().Details.ShouldBe("rbac_access_denied_matched_policy[none]");
    }

    [Fact]
    public async Task A_policys_name_is_told_without_space()
    {
        var rules = new RBAC { Action = RBAC.Types.Action.Deny };
        rules.Policies["ns[shop] policy\t1"] = RbacRules.One("DENY").Policies["p"];

        (await Run(new Filter { Rules = rules }, new TestRequest())).Answer.ShouldNotBeNull().Details.ShouldBe("rbac_access_denied_matched_policy[ns[shop]_policy_1]");
    }

    [Theory]
    [InlineData("ON_DENY", "/secret")]
    [InlineData("ON_ALLOW", "/open")]
    [InlineData("ON_DENY_AND_ALLOW", "/secret /open")]
    [InlineData("NONE", "")]
    public async Task Decisions_are_recorded_as_gRPC_records_them(string condition, string recorded)
    {
        using var stdout = new MemoryStream();
        await using var logs = new MeshAccessLogs(new MeshAccessLogOptions(), new MetricRegistry(), SystemRandomSource.Instance, TimeProvider.System, openStream: _ => stdout);
        var services = new FilterServices(_time, new SequenceRandomSource(0)) { Telemetry = new MeshTelemetry(_time) { AccessLogs = logs } };
        var rules = RbacRules.One("DENY", RbacRules.Path("/secret"));
        rules.AuditLoggingOptions = Google.Protobuf.JsonParser.Default.Parse<RBAC.Types.AuditLoggingOptions>($$$"""{"audit_condition":"{{{condition}}}","logger_configs":[{"audit_logger":{"name":"stdout_logger"}}]}""");
        rules.AuditLoggingOptions.LoggerConfigs[0].AuditLogger.TypedConfig = Any.Pack(new StdoutAuditLog());
        var shadow = rules.Clone();
        foreach (var path in new[] { "/secret?token=t0p", "/open" })
        {
            await Run(new Filter { Rules = rules, ShadowRules = shadow }, new TestRequest(path), services);
        }

        await logs.FlushAsync(CancellationToken.None);

        var lines = System.Text.Encoding.UTF8.GetString(stdout.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines.ShouldBe(recorded.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(path => path == "/secret"
            ? """{"grpc_audit_log":{"timestamp":"2000-01-01T00:00:00Z","rpc_method":"/secret","principal":"","policy_name":"istio.rbac","matched_rule":"p","authorized":false}}"""
            : """{"grpc_audit_log":{"timestamp":"2000-01-01T00:00:00Z","rpc_method":"/open","principal":"","policy_name":"istio.rbac","matched_rule":"","authorized":true}}"""));
    }

    [Fact]
    public async Task Without_rules_nothing_is_enforced()
    {
        Create(new Filter()).ShouldBeNull();
        (await Run(new Filter { ShadowRules = RbacRules.One("DENY") }, new TestRequest())).Answer.ShouldBeNull();
    }

    [Fact]
    public async Task Shadow_rules_are_told_and_not_enforced()
    {
        var filter = new Filter
        {
            Rules = RbacRules.One("ALLOW"),
            ShadowRules = RbacRules.One("DENY", RbacRules.Path("/secret")),
            ShadowRulesStatPrefix = "istio_dry_run_allow_",
        };

        var denied = await Run(filter, new TestRequest("/secret"));
        var allowed = await Run(filter, new TestRequest("/books"));

        denied.Answer.ShouldBeNull();
        Told(denied, Metadata).ShouldBe("""{"istio_dry_run_allow_shadow_effective_policy_id":"p","istio_dry_run_allow_shadow_engine_result":"denied"}""");
        Told(allowed, Metadata).ShouldBe("""{"istio_dry_run_allow_shadow_engine_result":"allowed"}""");
        Counted().ShouldBe(["allowed{prefix=\"\"} 2", "shadow_allowed{prefix=\"istio_dry_run_allow_\"} 1", "shadow_denied{prefix=\"istio_dry_run_allow_\"} 1"]);
    }

    [Fact]
    public async Task What_is_to_be_logged_is_hinted_at()
    {
        var filter = new Filter { Rules = RbacRules.One("LOG", RbacRules.Path("/secret")) };

        Told(await Run(filter, new TestRequest("/secret")), "envoy.common").ShouldBe("""{"access_log_hint":true}""");
        Told(await Run(filter, new TestRequest("/books")), "envoy.common").ShouldBe("""{"access_log_hint":false}""");
        Counted().ShouldBe(["allowed{prefix=\"\"} 2", "logged{prefix=\"\"} 1", "not_logged{prefix=\"\"} 1"]);
    }

    [Fact]
    public async Task Policies_are_counted_one_by_one_where_that_is_asked_for()
    {
        var filter = new Filter { Rules = RbacRules.One("DENY", RbacRules.Path("/secret")), ShadowRules = RbacRules.One("ALLOW"), RulesStatPrefix = "r_", TrackPerRuleStats = true };

        await Run(filter, new TestRequest("/secret"));
        await Run(filter, new TestRequest("/books"));

        Counted().ShouldBe(
        [
            "allowed{prefix=\"r_\"} 1", "denied{prefix=\"r_\"} 1", "policy_denied{prefix=\"r_\",envoy_rbac_policy_name=\"p\"} 1",
            "policy_shadow_allowed{prefix=\"\",envoy_rbac_policy_name=\"p\"} 2", "shadow_allowed{prefix=\"\"} 2",
        ]);
    }

    [Fact]
    public async Task A_routes_rules_take_the_place_of_the_listeners_and_none_switch_it_off()
    {
        var listener = new Filter { Rules = RbacRules.One("DENY") };
        var own = Create(listener, new PerRoute { Rbac = new Filter { Rules = RbacRules.One("DENY", RbacRules.Path("/secret")) } }).ShouldNotBeNull();

        (await Run(own, new InboundExchange(new TestRequest("/books")))).Answer.ShouldBeNull();
        (await Run(own, new InboundExchange(new TestRequest("/secret")))).Answer.ShouldNotBeNull();
        Create(listener, new PerRoute()).ShouldBeNull();
        Create(listener, new PerRoute { Rbac = new Filter() }).ShouldBeNull();
    }

    [Theory]
    [InlineData("DENY", "/admin", "/adm%69n", "/admin", false)]
    [InlineData("DENY", "/adm%69n", "/adm%69n", "/admin", false)]
    [InlineData("DENY", "/other", "/adm%69n", "/admin", true)]
    [InlineData("ALLOW", "/admin", "/adm%69n", "/admin", false)]
    [InlineData("ALLOW", "/adm%69n", "/adm%69n", "/admin", false)]
    [InlineData("ALLOW", "/admin", "/admin", "/admin", true)]
    [InlineData("ALLOW", "/admin", "/admin", null, true)]
    public async Task The_path_that_the_application_routes_by_has_to_pass_as_well(string action, string policy, string path, string? applicationPath, bool passes)
    {
        var filter = Create(new Filter { Rules = RbacRules.One(action, RbacRules.Path(policy)) }).ShouldNotBeNull();

        var exchange = await Run(filter, new InboundExchange(new TestRequest(path + "?q=1"), applicationPath));

        (exchange.Answer is null).ShouldBe(passes);
        exchange.Answer?.Details.ShouldBe(action == "DENY" ? "rbac_access_denied_matched_policy[p]" : "rbac_access_denied_matched_policy[none]");
    }

    [Fact]
    public async Task Two_policies_may_allow_the_two_paths_and_logging_one_of_them_is_enough()
    {
        var both = RbacRules.One("ALLOW", RbacRules.Path("/adm%69n") + "," + RbacRules.Path("/admin"));
        (await Run(Create(new Filter { Rules = both })!, new InboundExchange(new TestRequest("/adm%69n"), "/admin"))).Answer.ShouldBeNull();

        var logged = await Run(Create(new Filter { Rules = RbacRules.One("LOG", RbacRules.Path("/admin")) })!, new InboundExchange(new TestRequest("/adm%69n"), "/admin"));
        Told(logged, "envoy.common").ShouldBe("""{"access_log_hint":true}""");
    }

    [Fact]
    public async Task A_query_stays_with_the_path_that_the_application_routes_by()
    {
        var rules = RbacRules.One("DENY", """{"header":{"name":":path","exact_match":"/admin?q=1"}}""");

        (await Run(Create(new Filter { Rules = rules })!, new InboundExchange(new TestRequest("/adm%69n?q=1"), "/admin"))).Answer.ShouldNotBeNull();
    }

    [Fact]
    public async Task Claims_of_a_token_are_found_where_they_lie()
    {
        const string Claims = """{"iss":"bank","groups":["users","admins"],"realm":{"roles":["audit\u0065r"]},"age":42,"human":true,"none":null}""";
        foreach (var (path, value, expected) in new[]
        {
            ("iss", """{"string_match":{"exact":"bank"}}""", true),
            ("iss", """{"string_match":{"prefix":"b"}}""", true),
            ("iss", """{"list_match":{"one_of":{"string_match":{"exact":"bank"}}}}""", false),
            ("iss", """{"or_match":{"value_matchers":[{"string_match":{"exact":"x"}},{"string_match":{"exact":"bank"}}]}}""", true),
            ("groups", """{"list_match":{"one_of":{"string_match":{"exact":"admins"}}}}""", true),
            ("groups", """{"list_match":{"one_of":{"string_match":{"exact":"admin"}}}}""", false),
            ("groups", """{"string_match":{"exact":"admins"}}""", false),
            ("realm/roles", """{"list_match":{"one_of":{"string_match":{"exact":"auditer"}}}}""", true),
            ("realm/none", """{"present_match":true}""", false),
            ("groups/0", """{"present_match":true}""", false),
            ("age", """{"double_match":{"exact":42}}""", true),
            ("age", """{"double_match":{"range":{"start":42,"end":43}}}""", true),
            ("age", """{"double_match":{"range":{"start":41,"end":42}}}""", false),
            ("age", """{"string_match":{"exact":"42"}}""", false),
            ("human", """{"bool_match":true}""", true),
            ("human", """{"bool_match":false}""", false),
            ("none", """{"null_match":{}}""", true),
            ("nothing", """{"null_match":{}}""", false),
            ("none", """{"present_match":true}""", true),
            ("nothing", """{"present_match":true}""", false),
            ("nothing", """{"present_match":false}""", false),
        })
        {
            var matcher = $$$$$"""{"filter":"jwt","path":[{"key":"payload"},{{{{{string.Join(',', path.Split('/').Select(p => $"{{\"key\":\"{p}\"}}"))}}}}}],"value":{{{{{value}}}}}}""";
            foreach (var rule in new[] { $$$$$"""{"metadata":{{{{{matcher}}}}}}""", $$$$$"""{"sourced_metadata":{"metadata_matcher":{{{{{matcher}}}}}}}""" })
            {
                (await Judge(rule)).ShouldBe(expected, rule);
                (await Judge(rule.Replace("\"filter\"", "\"invert\":true,\"filter\"", StringComparison.Ordinal))).ShouldBe(!expected, rule);
            }
        }

        async Task<bool> Judge(string rule)
        {
            var exchange = new InboundExchange(new TestRequest());
            exchange.Exchange.Metadata["jwt"] = new JsonObject { ["payload"] = JsonNode.Parse(Claims) };
            return (await Run(Create(new Filter { Rules = RbacRules.One("ALLOW", principal: rule) })!, exchange)).Answer is null;
        }
    }

    [Fact]
    public async Task Denials_are_in_the_log_with_their_policy_and_without_the_query()
    {
        await Run(new Filter { Rules = RbacRules.One("DENY") }, new TestRequest("/secret?access_token=t0p"));

        var line = _log.Lines.ShouldHaveSingleItem();
        line.ShouldContain("GET reviews:9080/secret to 10.1.2.3:40000: policy p.");
        line.ShouldNotContain("t0p");
    }

    [Fact]
    public async Task An_attack_does_not_flood_the_log()
    {
        var filter = Create(new Filter { Rules = RbacRules.One("DENY") })!;
        for (var i = 0; i < 1000; i++)
        {
            await Run(filter, new InboundExchange(new TestRequest()));
        }

        _log.Lines.Count.ShouldBe(10);
        _time.Advance(TimeSpan.FromSeconds(1));
        await Run(filter, new InboundExchange(new TestRequest()));
        _log.Lines[^1].ShouldContain("990 denials before this one");
    }

    [Fact]
    public async Task A_matcher_in_place_of_rules_decides_and_beside_them_is_refused()
    {
        (await Run(new Filter { Matcher = new() }, new TestRequest())).Answer.ShouldNotBeNull().Details.ShouldBe("rbac_access_denied_matched_policy[none]");
        (await Run(new Filter { ShadowMatcher = new() }, new TestRequest())).Answer.ShouldBeNull();
        Should.Throw<ResourceRejectedException>(() => Create(new Filter { Rules = new(), Matcher = new() })).Field.ShouldBe("f.matcher");
        Should.Throw<ResourceRejectedException>(() => Create(new Filter { ShadowRules = new(), ShadowMatcher = new() })).Field.ShouldBe("f.shadow_matcher");
    }

    [Fact]
    public void A_decision_costs_no_memory()
    {
        var filter = Create(new Filter { Rules = RbacRules.One("ALLOW", RbacRules.Path("/books")) })!;
        var exchange = new InboundExchange(new TestRequest("/books"));

        Allocations.Of(_ => filter.OnRequestAsync(exchange.Exchange, CancellationToken.None).IsCompletedSuccessfully.ShouldBeTrue()).ShouldBe(0);
    }

    private static string Told(InboundExchange exchange, string name) => exchange.Exchange.Metadata[name].ToJsonString();

    private static async Task<InboundExchange> Run(HttpFilter filter, InboundExchange exchange)
    {
        await filter.OnRequestAsync(exchange.Exchange, CancellationToken.None);
        return exchange;
    }

    private Task<InboundExchange> Run(Filter filter, TestRequest request, FilterServices? services = null)
        => Run(Create(filter, services: services).ShouldNotBeNull(), new InboundExchange(request));

    // What is not zero, without what is the same in all of them.
    private IEnumerable<string> Counted()
        => Exposition.Lines(_services.Metrics, "envoy_http_rbac_").Where(line => !line.EndsWith(" 0", StringComparison.Ordinal))
            .Select(line => line["envoy_http_rbac_".Length..].Replace("envoy_http_conn_manager_prefix=\"inbound\",", "", StringComparison.Ordinal));

    private HttpFilter? Create(Filter listener, PerRoute? route = null, FilterServices? services = null)
    {
        var config = _type.Read(FilterMessage.Open(Any.Pack(listener), "f"), "f", []);
        object[] routes = route is null ? [] : [_type.ReadRoute(FilterMessage.Open(Any.Pack(route), "r"), "r", [])];
        return _type.Create(new FilterBinding(config, routes, null, services ?? _services, "inbound", "istio.rbac"));
    }

    private sealed class RecordedLog : ILogger
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            => Lines.Add(formatter(state, exception));
    }
}
