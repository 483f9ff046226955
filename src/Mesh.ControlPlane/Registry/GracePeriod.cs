namespace Mesh.ControlPlane.Registry;

/// <summary>The time that a workload nobody sees has to come back.</summary>
internal sealed class GracePeriod : IDisposable
{
    private readonly ITimer _timer;

    public GracePeriod(TimeProvider time, TimeSpan length, Action<GracePeriod> onEnd)
        => _timer = time.CreateTimer(_ => onEnd(this), null, length, Timeout.InfiniteTimeSpan);

    public void Dispose() => _timer.Dispose();
}
