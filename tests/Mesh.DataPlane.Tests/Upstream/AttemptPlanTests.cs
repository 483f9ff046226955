using System.Net.Http.Headers;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Timeouts;
using Mesh.DataPlane.Upstream;

namespace Mesh.DataPlane.Tests.Upstream;

/// <summary>Which requests of a route have one plan.</summary>
public sealed class AttemptPlanTests
{
    // What Istio writes into every route.
    private readonly RouteEntry _route = new(
        0,
        "default",
        new RouteMatch(new PathMatch(PathMatchKind.Prefix, "/", true), RouteConditions.None),
        new RouteAction.Unsupported(""),
        RoutePolicy.None with { Timeouts = new TimeoutPolicy { Route = TimeSpan.Zero, MaxGrpcTimeout = TimeSpan.Zero } });

    [Fact]
    public void Requests_that_are_not_gRPC_share_the_plan_of_a_route_with_a_limit_for_gRPC()
    {
        PlanOf(Request(null)).ShouldBeSameAs(PlanOf(Request("application/json")));
        PlanOf(Request(null)).RouteTimeout.ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public void Requests_of_gRPC_are_planned_by_their_own_deadline()
    {
        var other = PlanOf(Request(null));

        PlanOf(Request("application/grpc", "3S")).RouteTimeout.ShouldBe(TimeSpan.FromSeconds(3));
        PlanOf(Request("application/grpc", "5S")).RouteTimeout.ShouldBe(TimeSpan.FromSeconds(5));
        PlanOf(Request(null)).ShouldBeSameAs(other);
    }

    private static HttpRequestMessage Request(string? type, string? timeout = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "http://reviews:9080/");
        if (type is not null)
        {
            request.Content = new ByteArrayContent([]) { Headers = { ContentType = new MediaTypeHeaderValue(type) } };
        }

        if (timeout is not null)
        {
            request.Headers.Add("grpc-timeout", timeout);
        }

        return request;
    }

    private AttemptPlan PlanOf(HttpRequestMessage request) => AttemptPlan.Of(_route, null, ListenerSettings.Default, request, null);
}
