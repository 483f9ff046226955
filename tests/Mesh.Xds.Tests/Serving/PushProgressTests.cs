using Mesh.Testing;
using Mesh.Xds.Metrics;
using Mesh.Xds.Serving;

namespace Mesh.Xds.Tests.Serving;

public sealed class PushProgressTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly MetricRegistry _registry = new();
    private readonly PushProgress _progress;

    public PushProgressTests() => _progress = new PushProgress(new AdsServerMetrics(_registry), _time);

    private HistogramCell Cell(string name) => _registry.Families.OfType<HistogramFamily>().Single(family => family.Name == name).Cell();

    [Fact]
    public void The_time_of_convergence_is_from_the_first_change_until_nothing_is_left_to_send()
    {
        var pushed = _time.GetTimestamp();
        _time.Advance(TimeSpan.FromSeconds(1));
        _progress.Taken(pushed);
        _time.Advance(TimeSpan.FromSeconds(2));
        _progress.Sent(_time.GetTimestamp());

        // Another change comes before all of the first one has been sent.
        _progress.Taken(_time.GetTimestamp());
        _time.Advance(TimeSpan.FromSeconds(3));
        _progress.Sent(_time.GetTimestamp());
        _progress.Rest();

        var convergence = Cell("pilot_proxy_convergence_time");
        (convergence.Count, convergence.Sum).ShouldBe((1, 6));
        var queue = Cell("pilot_proxy_queue_time");
        (queue.Count, queue.Sum).ShouldBe((2, 1));
    }

    [Fact]
    public void What_a_client_is_not_told_of_and_what_it_asks_for_itself_is_no_convergence()
    {
        _progress.Taken(_time.GetTimestamp());
        _progress.Rest();
        _progress.Taken(null);
        _progress.Sent(_time.GetTimestamp());
        _progress.Rest();
        Cell("pilot_proxy_convergence_time").Count.ShouldBe(0);
    }
}
