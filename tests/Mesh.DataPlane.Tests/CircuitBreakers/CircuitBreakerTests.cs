using Mesh.DataPlane.CircuitBreakers;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Upstream;

namespace Mesh.DataPlane.Tests.CircuitBreakers;

public class CircuitBreakerTests
{
    private readonly ClusterStats _stats = new();
    private readonly EndpointState _host = Host();
    private readonly EndpointState _otherHost = Host();

    [Fact]
    public void The_defaults_are_Envoys()
    {
        var limits = ClusterThresholds.None.Of(RoutingPriority.Default);
        (limits.MaxConnections, limits.MaxPendingRequests, limits.MaxRequests, limits.MaxRetries).ShouldBe((1024u, 1024u, 1024u, 3u));
    }

    [Fact]
    public void More_requests_than_max_requests_overflow_at_once()
    {
        var breaker = Breaker(new Thresholds { MaxRequests = 2 });
        breaker.TryEnter(_host, multiplexed: true, out _).ShouldBeTrue();
        breaker.TryEnter(_host, multiplexed: true, out _).ShouldBeTrue();
        breaker.TryEnter(_host, multiplexed: true, out var overflow).ShouldBeFalse();
        overflow.ShouldBe(LocalReply.Overflow);
        _stats.PendingOverflow.Value.ShouldBe(1);

        breaker.Exit(_host, multiplexed: true);
        breaker.TryEnter(_host, multiplexed: true, out _).ShouldBeTrue();
    }

    [Fact]
    public void The_reply_to_an_overflow_is_Envoys()
    {
        var reply = LocalReply.Overflow;
        ((int)reply.Status, reply.Flags, reply.Details).ShouldBe((503, "UO", "upstream_reset_before_response_started{overflow}"));
        reply.Body.ShouldBe("upstream connect error or disconnect/reset before headers. reset reason: overflow");
        reply.Headers.ShouldBe([("x-envoy-overloaded", "true")]);
    }

    [Fact]
    public async Task One_connection_and_one_pending_request_refuse_the_third()
    {
        var breaker = Breaker(new Thresholds { MaxConnections = 1, MaxPendingRequests = 1 });
        breaker.TryEnter(_host, multiplexed: false, out _).ShouldBeTrue();

        breaker.TryEnter(_host, multiplexed: false, out var overflow).ShouldBeFalse();
        overflow.ShouldBeNull();
        var second = breaker.EnterAsync(_host, CancellationToken.None).AsTask();
        second.IsCompleted.ShouldBeFalse();
        breaker.PendingRequests.ShouldBe(1);

        (await breaker.EnterAsync(_host, CancellationToken.None)).ShouldBe(LocalReply.Overflow);
        (_stats.ConnectionOverflow.Value, _stats.PendingTotal.Value, _stats.PendingOverflow.Value).ShouldBe((2, 1, 1));

        breaker.Exit(_host, multiplexed: false);
        (await second).ShouldBeNull();
        breaker.ActiveConnections.ShouldBe(1u);
        breaker.Exit(_host, multiplexed: false);
        ShouldBeIdle(breaker);
    }

    [Fact]
    public async Task Who_waits_longest_is_first()
    {
        var breaker = Breaker(new Thresholds { MaxConnections = 1 });
        breaker.TryEnter(_host, multiplexed: false, out _).ShouldBeTrue();
        var waiting = Enumerable.Range(0, 5).Select(_ => breaker.EnterAsync(_host, CancellationToken.None).AsTask()).ToArray();
        foreach (var next in waiting)
        {
            next.IsCompleted.ShouldBeFalse();
            breaker.Exit(_host, multiplexed: false);
            (await next).ShouldBeNull();
        }

        breaker.Exit(_host, multiplexed: false);
        ShouldBeIdle(breaker);
    }

    [Fact]
    public async Task Nobody_overtakes_those_who_wait()
    {
        var breaker = Breaker(new Thresholds { MaxConnections = 1 });
        breaker.TryEnter(_host, multiplexed: false, out _).ShouldBeTrue();
        var first = breaker.EnterAsync(_host, CancellationToken.None).AsTask();
        breaker.TryEnter(_host, multiplexed: false, out var overflow).ShouldBeFalse();
        overflow.ShouldBeNull();
        var second = breaker.EnterAsync(_host, CancellationToken.None).AsTask();
        breaker.Exit(_host, multiplexed: false);
        await first;
        second.IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task A_cancelled_wait_holds_nothing_and_leaves_its_place()
    {
        var breaker = Breaker(new Thresholds { MaxConnections = 1, MaxPendingRequests = 1 });
        breaker.TryEnter(_host, multiplexed: false, out _).ShouldBeTrue();
        using var cancellation = new CancellationTokenSource();
        var cancelled = breaker.EnterAsync(_host, cancellation.Token).AsTask();
        await cancellation.CancelAsync();
        (await Should.ThrowAsync<OperationCanceledException>(() => cancelled)).CancellationToken.ShouldBe(cancellation.Token);

        breaker.PendingRequests.ShouldBe(0);
        var next = breaker.EnterAsync(_host, CancellationToken.None).AsTask();
        next.IsCompleted.ShouldBeFalse();
        breaker.Exit(_host, multiplexed: false);
        await next;
        breaker.Exit(_host, multiplexed: false);
        ShouldBeIdle(breaker);
    }

    [Fact]
    public void A_host_without_a_connection_may_always_have_one()
    {
        var breaker = Breaker(new Thresholds { MaxConnections = 1 });
        breaker.TryEnter(_host, multiplexed: false, out _).ShouldBeTrue();
        breaker.TryEnter(_otherHost, multiplexed: false, out _).ShouldBeTrue();
        breaker.TryEnter(_otherHost, multiplexed: false, out _).ShouldBeFalse();
        breaker.ActiveConnections.ShouldBe(2u);
    }

    [Fact]
    public async Task A_host_without_a_connection_does_not_wait_for_those_who_wait_for_another()
    {
        var breaker = Breaker(new Thresholds { MaxConnections = 1 });
        breaker.TryEnter(_host, multiplexed: false, out _).ShouldBeTrue();
        var waiting = breaker.EnterAsync(_host, CancellationToken.None).AsTask();
        (await breaker.EnterAsync(_otherHost, CancellationToken.None)).ShouldBeNull();
        waiting.IsCompleted.ShouldBeFalse();

        // The other host's connection goes, and the cluster still has as many as it may.
        breaker.Exit(_otherHost, multiplexed: false);
        waiting.IsCompleted.ShouldBeFalse();
        breaker.Exit(_host, multiplexed: false);
        (await waiting).ShouldBeNull();
    }

    [Fact]
    public async Task Connections_to_each_host_are_limited_apart()
    {
        var breaker = Breaker(new Thresholds { MaxConnectionsPerHost = 1 });
        breaker.TryEnter(_host, multiplexed: false, out _).ShouldBeTrue();
        breaker.TryEnter(_host, multiplexed: false, out _).ShouldBeFalse();
        var waiting = breaker.EnterAsync(_host, CancellationToken.None).AsTask();
        (await breaker.EnterAsync(_otherHost, CancellationToken.None)).ShouldBeNull();
        breaker.Exit(_host, multiplexed: false);
        (await waiting).ShouldBeNull();
    }

    [Fact]
    public void Requests_to_each_host_are_limited_apart()
    {
        var breaker = Breaker(new Thresholds { MaxRequestsPerHost = 1 });
        breaker.TryEnter(_host, multiplexed: true, out _).ShouldBeTrue();
        breaker.TryEnter(_host, multiplexed: true, out var overflow).ShouldBeFalse();
        overflow.ShouldBe(LocalReply.Overflow);
        breaker.TryEnter(_otherHost, multiplexed: true, out _).ShouldBeTrue();
    }

    [Fact]
    public void Requests_of_HTTP2_hold_no_connection()
    {
        var breaker = Breaker(new Thresholds { MaxConnections = 1 });
        breaker.TryEnter(_host, multiplexed: true, out _).ShouldBeTrue();
        breaker.TryEnter(_host, multiplexed: true, out _).ShouldBeTrue();
        breaker.TryEnter(_host, multiplexed: false, out _).ShouldBeTrue();
        (breaker.ActiveRequests, breaker.ActiveConnections).ShouldBe((3u, 1u));
    }

    [Fact]
    public async Task Who_finds_no_connection_waits_even_when_there_are_as_many_requests_as_may_be()
    {
        var breaker = Breaker(new Thresholds { MaxConnections = 1, MaxRequests = 1 });
        breaker.TryEnter(_host, multiplexed: false, out _).ShouldBeTrue();
        breaker.TryEnter(_host, multiplexed: false, out var overflow).ShouldBeFalse();
        overflow.ShouldBeNull();
        var waiting = breaker.EnterAsync(_host, CancellationToken.None).AsTask();
        breaker.Exit(_host, multiplexed: false);
        (await waiting).ShouldBeNull();
    }

    [Fact]
    public async Task Whoever_gets_a_connection_when_there_are_too_many_requests_overflows_then()
    {
        var breaker = Breaker(new Thresholds { MaxConnections = 1, MaxRequests = 2 });
        breaker.TryEnter(_host, multiplexed: false, out _).ShouldBeTrue();
        var waiting = breaker.EnterAsync(_host, CancellationToken.None).AsTask();
        breaker.TryEnter(_host, multiplexed: true, out _).ShouldBeTrue();
        breaker.Limits = breaker.Limits with { MaxRequests = 1 };
        breaker.Exit(_host, multiplexed: false);
        (await waiting).ShouldBe(LocalReply.Overflow);
        breaker.Exit(_host, multiplexed: true);
        ShouldBeIdle(breaker);
    }

    [Fact]
    public async Task A_raised_limit_lets_those_in_who_wait()
    {
        var breaker = Breaker(new Thresholds { MaxConnections = 1 });
        breaker.TryEnter(_host, multiplexed: false, out _).ShouldBeTrue();
        var waiting = Enumerable.Range(0, 3).Select(_ => breaker.EnterAsync(_host, CancellationToken.None).AsTask()).ToArray();
        breaker.Limits = breaker.Limits with { MaxConnections = 3 };
        await waiting[0];
        await waiting[1];
        waiting[2].IsCompleted.ShouldBeFalse();
        breaker.ActiveConnections.ShouldBe(3u);
    }

    [Fact]
    public void An_update_of_the_limits_forgets_nothing_that_is_counted()
    {
        var cluster = new Cluster("reviews");
        var breaker = cluster.Breakers[RoutingPriority.Default];
        breaker.TryEnter(_host, multiplexed: true, out _).ShouldBeTrue();
        cluster.Breakers.Use(new ClusterThresholds(new Thresholds { MaxRequests = 1 }, Thresholds.Default));
        breaker.TryEnter(_host, multiplexed: true, out _).ShouldBeFalse();
        cluster.Breakers[RoutingPriority.High].TryEnter(_host, multiplexed: true, out _).ShouldBeTrue();
    }

    [Fact]
    public void Retries_are_limited_by_number()
    {
        var breaker = Breaker(new Thresholds { MaxRetries = 2 });
        breaker.TryBeginRetry().ShouldBeTrue();
        breaker.TryBeginRetry().ShouldBeTrue();
        breaker.TryBeginRetry().ShouldBeFalse();
        _stats.RetryOverflow.Value.ShouldBe(1);
        breaker.EndRetry();
        breaker.TryBeginRetry().ShouldBeTrue();
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(15, 3)]
    [InlineData(20, 4)]
    [InlineData(100, 20)]
    public void Retries_are_limited_by_a_share_of_the_requests(int requests, int allowed)
    {
        var breaker = Breaker(new Thresholds { MaxRetries = 0, RetryBudget = new RetryBudget(20, 3) });
        for (var i = 0; i < requests; i++)
        {
            breaker.TryEnter(_host, multiplexed: true, out _).ShouldBeTrue();
        }

        Enumerable.Range(0, 200).TakeWhile(_ => breaker.TryBeginRetry()).Count().ShouldBe(allowed);
    }

    [Fact]
    public void Requests_that_wait_count_in_the_retry_budget()
    {
        var breaker = Breaker(new Thresholds { MaxConnections = 1, RetryBudget = new RetryBudget(50, 0) });
        breaker.TryBeginRetry().ShouldBeFalse();
        breaker.TryEnter(_host, multiplexed: false, out _).ShouldBeTrue();
        breaker.TryBeginRetry().ShouldBeFalse();
        _ = breaker.EnterAsync(_host, CancellationToken.None).AsTask();
        breaker.TryBeginRetry().ShouldBeTrue();
    }

    [Fact]
    public void What_is_left_is_told_where_the_cluster_wants_it()
    {
        Breaker(new Thresholds()).Remaining.ShouldBeNull();
        var breaker = Breaker(new Thresholds { MaxConnections = 5, MaxPendingRequests = 4, MaxRequests = 3, MaxRetries = 2, TrackRemaining = true });
        breaker.TryEnter(_host, multiplexed: false, out _);
        breaker.TryBeginRetry();
        breaker.Remaining.ShouldBe(new RemainingPermits(4, 4, 2, 1));
    }

    internal static void ShouldBeIdle(CircuitBreaker breaker)
        => (breaker.ActiveRequests, breaker.ActiveConnections, breaker.PendingRequests, breaker.ActiveRetries).ShouldBe((0u, 0u, 0, 0));

    internal static EndpointState Host() => new(() => throw new NotSupportedException());

    private CircuitBreaker Breaker(Thresholds limits) => new(RoutingPriority.Default, _stats) { Limits = limits };
}
