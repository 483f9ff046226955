using System.Net;
using System.Text;
using Mesh.DataPlane.Calls;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Retry;
using Mesh.DataPlane.Tests.Filters;
using Mesh.Xds.Client;
using Breakers = Envoy.Config.Cluster.V3.CircuitBreakers;

namespace Mesh.DataPlane.Tests.Calls;

public sealed class ClusterCallsTests : IAsyncDisposable
{
    private const int Limit = 1024;

    private readonly FilterMesh _mesh = new();

    private IClusterCalls Calls => _mesh.Engine.Filters.Services.Calls;

    public ValueTask DisposeAsync() => _mesh.DisposeAsync();

    [Fact]
    public async Task A_request_reaches_an_endpoint_of_the_cluster_under_its_own_authority()
    {
        _mesh.AddCluster("keys", 7);

        using var response = await Calls.SendAsync(Target("keys"), Get("http://issuer.example/keys?a=b"), Limit, default);

        (await response.Content.ReadAsStringAsync()).ShouldBe("hello");
        var received = _mesh.Received.ShouldHaveSingleItem();
        (received.Cluster, received.Address, received.Path).ShouldBe(("keys", "10.0.0.7", "/keys?a=b"));
    }

    [Fact]
    public async Task A_cluster_that_nobody_has_named_is_subscribed_for_the_call_and_given_up_after_it()
    {
        _mesh.AddCluster("keys", 7);

        (await Calls.SendAsync(Target("keys"), Get("http://issuer/"), Limit, default)).Dispose();

        _mesh.Xds.Watched.ShouldNotContain((ClusterType.Instance.TypeUrl, "keys"));
    }

    [Fact]
    public async Task A_cluster_that_is_held_stays_subscribed_and_is_answered_when_its_endpoints_are()
    {
        var answered = 0;
        var hold = Calls.Hold(["keys"], () => answered++);
        hold.IsAnswered.ShouldBeFalse();

        _mesh.AddCluster("keys", 7);

        (hold.IsAnswered, answered).ShouldBe((true, 1));
        (await Calls.SendAsync(Target("keys"), Get("http://issuer/"), Limit, default)).Dispose();
        _mesh.Xds.Watched.ShouldContain((ClusterType.Instance.TypeUrl, "keys"));

        hold.Dispose();
        _mesh.Xds.Watched.ShouldNotContain((ClusterType.Instance.TypeUrl, "keys"));
    }

    [Fact]
    public void A_cluster_that_never_comes_is_waited_for_no_longer_than_other_resources()
    {
        var answered = 0;
        using var hold = Calls.Hold(["nowhere"], () => answered++);

        _mesh.Time.Advance(TimeSpan.FromSeconds(14));
        hold.IsAnswered.ShouldBeFalse();
        _mesh.Time.Advance(TimeSpan.FromSeconds(2));

        (hold.IsAnswered, answered).ShouldBe((true, 1));
    }

    [Fact]
    public async Task A_cluster_that_does_not_exist_or_has_no_host_cannot_be_asked()
    {
        _mesh.Xds.Remove(ClusterType.Instance, "nowhere");
        _mesh.Xds.Set(ClusterType.Instance, Resources.Cluster("empty"));
        _mesh.Xds.Set(EndpointsType.Instance, Resources.Endpoints("empty"));

        (await Should.ThrowAsync<ClusterCallException>(Calls.SendAsync(Target("nowhere"), Get("http://issuer/"), Limit, default))).Details.ShouldBe("cluster_not_found");
        (await Should.ThrowAsync<ClusterCallException>(Calls.SendAsync(Target("empty"), Get("http://issuer/"), Limit, default))).Details.ShouldBe("no_healthy_upstream");
    }

    [Fact]
    public async Task A_response_that_is_too_long_is_not_read()
    {
        _mesh.AddCluster("keys", 7);
        _mesh.Respond = _ => new HttpResponseMessage { Content = new ByteArrayContent(new byte[Limit + 1]) };

        (await Should.ThrowAsync<ClusterCallException>(Calls.SendAsync(Target("keys"), Get("http://issuer/"), Limit, default))).Details.ShouldContain("longer than 1024 bytes");
    }

    [Fact]
    public async Task The_clusters_circuit_breakers_count_calls()
    {
        _mesh.AddCluster("keys", 7);
        var cluster = Resources.Cluster("keys");
        cluster.CircuitBreakers = new Breakers { Thresholds = { new Breakers.Types.Thresholds { MaxRequests = 0 } } };
#pragma warning disable CS0612 // The shortest way to HTTP/2, which counts requests.
        cluster.Http2ProtocolOptions = new Envoy.Config.Core.V3.Http2ProtocolOptions();
#pragma warning restore CS0612
        _mesh.Xds.Set(ClusterType.Instance, cluster);

        (await Should.ThrowAsync<ClusterCallException>(Calls.SendAsync(Target("keys"), Get("http://issuer/"), Limit, default))).Details.ShouldBe("upstream_reset_before_response_started{overflow}");
        _mesh.Received.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_call_is_tried_again_where_its_owner_says_so()
    {
        _mesh.AddCluster("keys", 7);
        _mesh.Respond = _ => new HttpResponseMessage(_mesh.Received.Count < 3 ? HttpStatusCode.ServiceUnavailable : HttpStatusCode.OK) { Content = new StringContent("late") };
        var retry = new Mesh.DataPlane.Retry.RetryPolicy { On = RetryOn.ServerError, NumRetries = 2, BackOff = new BackOff(TimeSpan.Zero, TimeSpan.Zero) };

        using var response = await Calls.SendAsync(
            new ClusterTarget("keys", TimeSpan.FromSeconds(1), retry),
            new HttpRequestMessage(HttpMethod.Post, "http://issuer/") { Content = new StringContent("body", Encoding.UTF8) },
            Limit,
            default);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        _mesh.Received.Select(r => r.Body).ShouldBe(["body", "body", "body"]);
    }

    [Fact]
    public async Task Whoever_cancels_is_told_so()
    {
        using var gone = new CancellationTokenSource();
        await gone.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(Calls.SendAsync(Target("nowhere"), Get("http://issuer/"), Limit, gone.Token));
    }

    private static ClusterTarget Target(string cluster) => new(cluster, TimeSpan.FromSeconds(1));

    private static HttpRequestMessage Get(string uri) => new(HttpMethod.Get, uri);
}
