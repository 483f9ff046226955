using System.Net;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Upstreams.Http.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Client.Tests.Servers;
using Mesh.DataPlane.Resources;
using Mesh.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Client.Tests.Retry;

/// <summary>What a cluster says of every request to it.</summary>
public sealed class ClusterPolicyTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly SemaphoreSlim _arrived = new(0);

    [Theory]
    [InlineData("5xx", 2, "", 3)]
    [InlineData("5xx", 1, "5xx", 2)]
    [InlineData("reset", 1, "5xx", 1)]
    public async Task Its_retry_policy_takes_the_place_of_the_routes(string on, uint retries, string routeOn, int hits)
    {
        var seen = 0;
        await using var server = await WebServer.StartAsync(context =>
        {
            context.Response.StatusCode = 503;
            Interlocked.Increment(ref seen);
            return Task.CompletedTask;
        });
        await using var mesh = ClientMesh.Create().ServeWith(
            action => action.RetryPolicy = routeOn.Length == 0 ? null : new RetryPolicy { RetryOn = routeOn, NumRetries = 4, RetryBackOff = RouteRules.Retry("5xx", 1).RetryBackOff },
            http2: false,
            server.Port);
        SetCluster(mesh, options => options.RetryPolicy = RouteRules.Retry(on, retries));

        using var response = await mesh.Client().GetAsync("http://reviews:9080/").Within();

        seen.ShouldBe(hits);
    }

    [Theory]
    [InlineData(null, 2)]
    [InlineData("3000", 3)]
    public async Task A_try_lasts_no_longer_than_its_maximal_duration(string? header, int seconds)
    {
        using var server = new RawServer(SwallowAsync);
        await using var mesh = ClientMesh.Create(time: _time).ServeWith(_ => { }, http2: false, server.Port);
        SetCluster(mesh, options => options.CommonHttpProtocolOptions = new() { MaxStreamDuration = Duration.FromTimeSpan(TimeSpan.FromSeconds(2)) });
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/");
        if (header is not null)
        {
            request.Headers.Add("x-envoy-upstream-stream-duration-ms", header);
        }

        var sending = mesh.Client().SendAsync(request);
        await _arrived.WaitAsync().Within();
        _time.Advance(TimeSpan.FromSeconds(seconds) - TimeSpan.FromMilliseconds(1));
        sending.IsCompleted.ShouldBeFalse();
        _time.Advance(TimeSpan.FromMilliseconds(1));

        using var response = await sending.Within();
        response.StatusCode.ShouldBe(HttpStatusCode.GatewayTimeout);
        (await response.Content.ReadAsStringAsync()).ShouldBe("upstream max stream duration reached");
        request.Options.TryGetValue(MeshRequest.ResponseFlags, out var flags).ShouldBeTrue();
        flags.ShouldBe("UMSDR");
        mesh.ActiveRequests.ShouldBe(0);
    }

    [Fact]
    public async Task A_try_that_lasted_too_long_is_retried_like_a_reset()
    {
        using var server = new RawServer(SwallowAsync);
        await using var mesh = ClientMesh.Create(services => services.AddSingleton(new DataPlane.Retry.BackOffTime(TimeProvider.System)), time: _time)
            .ServeWith(action => action.RetryPolicy = RouteRules.Retry("reset", 1), http2: false, server.Port);
        SetCluster(mesh, options => options.CommonHttpProtocolOptions = new() { MaxStreamDuration = Duration.FromTimeSpan(TimeSpan.FromSeconds(2)) });
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/");
        var sending = mesh.Client().SendAsync(request);
        await _arrived.WaitAsync().Within();

        _time.Advance(TimeSpan.FromSeconds(2));
        await _arrived.WaitAsync().Within();
        sending.IsCompleted.ShouldBeFalse();
        _time.Advance(TimeSpan.FromSeconds(2));
        using var response = await sending.Within();

        response.StatusCode.ShouldBe(HttpStatusCode.GatewayTimeout);
        request.Options.TryGetValue(MeshRequest.Attempts, out var attempts);
        attempts.ShouldBe(2);
        request.Options.TryGetValue(MeshRequest.ResponseFlags, out var flags);
        flags.ShouldBe("UMSDR,URX");
    }

    [Fact]
    public async Task The_body_of_a_response_ends_with_the_duration()
    {
        using var server = new RawServer(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf ");
            await connection.WaitForEndAsync();
        });
        await using var mesh = ClientMesh.Create(time: _time).ServeWith(_ => { }, http2: false, server.Port);
        SetCluster(mesh, options => options.CommonHttpProtocolOptions = new() { MaxStreamDuration = Duration.FromTimeSpan(TimeSpan.FromSeconds(2)) });
        using var response = await mesh.Client().GetAsync("http://reviews:9080/", HttpCompletionOption.ResponseHeadersRead).Within();
        var reading = response.Content.ReadAsStringAsync();

        _time.Advance(TimeSpan.FromSeconds(2));

        (await Should.ThrowAsync<HttpRequestException>(() => reading.Within())).InnerException!.Message.ShouldContain("UMSDR");
        mesh.ActiveRequests.ShouldBe(0);
    }

    private static void SetCluster(ClientMesh mesh, Action<HttpProtocolOptions> change)
    {
        var cluster = DataPlane.Tests.Resources.Cluster("reviews:9080");
        var options = new HttpProtocolOptions { ExplicitHttpConfig = new() { HttpProtocolOptions = new() } };
        change(options);
        cluster.TypedExtensionProtocolOptions.Add("envoy.extensions.upstreams.http.v3.HttpProtocolOptions", Any.Pack(options));
        mesh.Xds.Set(ClusterType.Instance, cluster);
    }

    private async Task SwallowAsync(RawConnection connection)
    {
        await connection.ReadHeadAsync();
        _arrived.Release();
        await connection.WaitForEndAsync();
    }
}
