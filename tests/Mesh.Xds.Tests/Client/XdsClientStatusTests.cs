using Envoy.Service.Discovery.V3;
using Google.Rpc;
using Mesh.Xds.Client;

namespace Mesh.Xds.Tests.Client;

/// <summary>What the client tells of its resources: CSDS's client status (gRFC A40), each with what is in use and what was refused.</summary>
public sealed class XdsClientStatusTests : XdsClientFixture
{
    [Fact]
    public async Task What_was_asked_for_is_requested_and_what_came_is_acknowledged_with_its_bytes_version_and_time_per_gRFC_A40()
    {
        var watcher = new RecordingWatcher();
        Client.Watch(TestResourceType.Cluster, "a", watcher);
        var stream = await Server.AcceptDeltaAsync();
        await stream.NextAsync();
        Of("a").ShouldBe(new XdsResourceStatus(TestResourceType.Cluster.TypeUrl, "a", "REQUESTED", "", null, null));
        Client.ControlPlane.ShouldBeNull();

        Clock.Advance(TimeSpan.FromSeconds(3));
        var response = Delta("n1", Wrapped("a", "v1", Cluster("a")));
        response.ControlPlane = new() { Identifier = "theirs" };
        stream.Send(response);
        await watcher.NextAsync();

        Of("a").ShouldBe(new XdsResourceStatus(TestResourceType.Cluster.TypeUrl, "a", "ACKED", "v1", null, Clock.GetUtcNow()) { Body = Cluster("a").Value });
        (Client.ControlPlane, Client.Status.ControlPlane).ShouldBe(("theirs", "theirs"));
    }

    [Fact]
    public async Task What_was_refused_is_told_beside_what_stays_in_use_until_something_good_follows()
    {
        var (watcher, stream) = await WatchAsync("a");
        stream.Send(Delta("n1", Wrapped("a", "v1", Cluster("a"))));
        await watcher.NextAsync();
        await stream.NextAsync();
        var accepted = Clock.GetUtcNow();
        Clock.Advance(TimeSpan.FromSeconds(3));
        stream.Send(Delta("n2", Wrapped("a", "v2", Cluster("a", "bad"))));
        await watcher.NextAsync();
        await stream.NextAsync();

        Of("a").ShouldBe(new XdsResourceStatus(TestResourceType.Cluster.TypeUrl, "a", "NACKED", "v1", "Cluster a: alt_stat_name: is bad", accepted)
        {
            Body = Cluster("a").Value,
            Rejected = new XdsRejection("v2", "alt_stat_name: is bad", Clock.GetUtcNow(), Cluster("a", "bad").Value),
        });

        stream.Send(Delta("n3", Wrapped("a", "v3", Cluster("a", "2"))));
        await watcher.NextAsync();
        await stream.NextAsync();
        var good = Of("a");
        (good.State, good.Version, good.Rejected).ShouldBe(("ACKED", "v3", null));
    }

    [Fact]
    public async Task An_error_of_the_server_is_told_as_one_and_not_as_a_want_of_the_resource_per_gRFC_A88()
    {
        var (watcher, stream) = await WatchAsync("a");
        var response = Delta("n1");
        response.ResourceErrors.Add(new Envoy.Service.Discovery.V3.ResourceError { ResourceName = new ResourceName { Name = "a" }, ErrorDetail = new Status { Code = 7, Message = "not for you" } });
        stream.Send(response);
        await watcher.NextAsync();

        var status = Of("a");
        status.State.ShouldBe("RECEIVED_ERROR");
        status.Error.ShouldNotBeNull().ShouldContain("not for you");
    }

    [Fact]
    public async Task Silence_is_a_timeout_where_it_says_nothing_of_the_resource_per_gRFC_A88()
    {
        await UseAsync(features: XdsServerFeatures.ResourceTimerIsTransientError);
        var (watcher, _) = await WatchAsync("a");
        await Clock.WaitForTimersAsync(1);
        Clock.Advance(TimeSpan.FromSeconds(31));
        await watcher.NextAsync();

        Of("a").State.ShouldBe("TIMEOUT");
    }

    private XdsResourceStatus Of(string name) => Client.Status.Resources.Single(r => r.Name == name);

    private async Task<(RecordingWatcher Watcher, ScriptedAdsCall<DeltaDiscoveryRequest, DeltaDiscoveryResponse> Stream)> WatchAsync(string name)
    {
        var watcher = new RecordingWatcher();
        Client.Watch(TestResourceType.Cluster, name, watcher);
        var stream = await Server.AcceptDeltaAsync();
        await stream.NextAsync();
        return (watcher, stream);
    }
}
