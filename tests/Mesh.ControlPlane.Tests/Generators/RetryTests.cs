using Envoy.Config.Route.V3;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Generators;

namespace Mesh.ControlPlane.Tests.Generators;

/// <summary>What istiod sends for <c>retries</c>, read from its documentation and release notes.</summary>
public class RetryTests
{
    private const string Reviews = "outbound|9080||reviews.default.svc.cluster.local";
    private const string PreviousHosts = "envoy.retry_host_predicates.previous_hosts";

    private static readonly ConfigResource Service = TestDocuments.Service("reviews", """{"name":"http","port":9080}""");

    private static RetryPolicy? PolicyOf(string fields, Proxy? proxy = null, bool retry503 = false, params ConfigResource[] more)
        => new TestMesh(
            retry503,
            [Service, TestDocuments.VirtualService("rule", $$$"""{"hosts":["reviews"],"http":[{ {{{fields}}} "route":[{"destination":{"host":"reviews"} }]}]}"""), .. more])
            .Route(Reviews, proxy).Route_.RetryPolicy;

    [Theory]
    [InlineData("")]
    [InlineData("\"retries\":{\"attempts\":2},")]
    public void Unless_a_rule_says_otherwise_two_retries_on_what_never_reached_the_application(string fields)
    {
        var policy = PolicyOf(fields).ShouldNotBeNull();

        policy.NumRetries.ShouldBe(2u);
        policy.RetryOn.ShouldBe("connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes");
        policy.RetriableStatusCodes.ShouldBeEmpty();
        policy.RetryHostPredicate.Select(predicate => predicate.Name).ShouldBe([PreviousHosts]);
        policy.HostSelectionRetryMaxAttempts.ShouldBe(5);
        policy.PerTryTimeout.ShouldBeNull();
        policy.RetryPriority.ShouldBeNull();
        policy.RetryBackOff.ShouldBeNull();
    }

    [Theory]
    [InlineData("")]
    [InlineData("\"retries\":{\"attempts\":3},")]
    public void The_older_default_retries_a_503_too(string fields)
        => PolicyOf(fields, retry503: true)!.RetriableStatusCodes.ShouldBe([503u]);

    [Fact]
    public void The_older_default_is_for_rules_that_do_not_say_what_is_retried()
        => PolicyOf("\"retries\":{\"attempts\":3,\"retryOn\":\"reset\"},", retry503: true)!.RetriableStatusCodes.ShouldBeEmpty();

    [Fact]
    public void A_service_without_a_rule_has_the_default_too()
        => new TestMesh(true, Service).Route(Reviews).Route_.RetryPolicy.RetriableStatusCodes.ShouldBe([503u]);

    [Fact]
    public void No_attempts_are_no_policy()
        => PolicyOf("\"retries\":{\"attempts\":0},").ShouldBeNull();

    [Fact]
    public void Every_field_is_carried()
    {
        var policy = PolicyOf("""
            "retries":{"attempts":4,"perTryTimeout":"1.5s","retryOn":"5xx, 503 ,reset,429","retryRemoteLocalities":true,"retryIgnorePreviousHosts":false,"backoff":"0.1s"},
            """).ShouldNotBeNull();

        policy.NumRetries.ShouldBe(4u);
        policy.PerTryTimeout.ToTimeSpan().ShouldBe(TimeSpan.FromSeconds(1.5));
        policy.RetryOn.ShouldBe("5xx,reset,retriable-status-codes");
        policy.RetriableStatusCodes.ShouldBe([503u, 429u]);
        policy.RetryHostPredicate.ShouldBeEmpty();
        policy.RetryBackOff.BaseInterval.ToTimeSpan().ShouldBe(TimeSpan.FromMilliseconds(100));
        policy.RetryBackOff.MaxInterval.ShouldBeNull();
        policy.RetryPriority.Name.ShouldBe("envoy.retry_priorities.previous_priorities");
        policy.RetryPriority.TypedConfig.Unpack<Envoy.Extensions.Retry.Priority.PreviousPriorities.V3.PreviousPrioritiesConfig>().UpdateFrequency.ShouldBe(2);
    }

    [Fact]
    public void A_condition_that_says_status_codes_itself_is_not_repeated()
        => PolicyOf("\"retries\":{\"attempts\":1,\"retryOn\":\"retriable-status-codes,503\"},")!.RetryOn.ShouldBe("retriable-status-codes");

    [Fact]
    public void Codes_alone_are_a_condition()
        => PolicyOf("\"retries\":{\"attempts\":1,\"retryOn\":\"503\"},")!.RetryOn.ShouldBe("retriable-status-codes");

    [Fact]
    public void A_request_that_is_hashed_to_a_host_is_retried_there()
    {
        var hashed = TestDocuments.DestinationRule("reviews", """{"host":"reviews","trafficPolicy":{"loadBalancer":{"consistentHash":{"httpHeaderName":"x-user"}}}}""");

        PolicyOf("", more: hashed)!.RetryHostPredicate.ShouldBeEmpty();
        PolicyOf("\"retries\":{\"attempts\":1,\"retryIgnorePreviousHosts\":true},", more: hashed)!.RetryHostPredicate.ShouldHaveSingleItem();
        new TestMesh(Service, hashed).Route(Reviews).Route_.RetryPolicy.RetryHostPredicate.ShouldBeEmpty();
    }

    [Fact]
    public void A_gRPC_client_gets_the_conditions_and_the_fields_that_it_knows()
    {
        var policy = PolicyOf("""
            "retries":{"attempts":4,"perTryTimeout":"1.5s","retryOn":"5xx,internal,503,deadline-exceeded,resource-exhausted","retryRemoteLocalities":true,"backoff":"0.1s"},
            """, TestMesh.Grpc);

        TestMesh.ShouldBeJson(policy.ShouldNotBeNull(), """
            {"retry_on":"internal,deadline-exceeded,resource-exhausted","num_retries":4,"retry_back_off":{"base_interval":"0.100s"}}
            """);
    }

    [Fact]
    public void A_gRPC_client_gets_no_policy_when_no_condition_is_left()
        => PolicyOf("\"retries\":{\"attempts\":1,\"retryOn\":\"5xx,503\"},", TestMesh.Grpc).ShouldBeNull();
}
