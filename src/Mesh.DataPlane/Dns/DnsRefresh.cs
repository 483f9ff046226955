namespace Mesh.DataPlane.Dns;

/// <summary>When a name is asked for again: Envoy's arithmetic for one name.</summary>
internal sealed class DnsRefresh(DnsClusterSettings settings, IRandomSource random)
{
    // Timers go no further; whoever sends more means never.
    private static readonly TimeSpan Longest = TimeSpan.FromDays(30);
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(1);

    private TimeSpan? _backOff;

    public TimeSpan After(DnsResolution resolution)
    {
        var wait = resolution.Failure is not null || (settings.IsLogical && resolution.Addresses.Count == 0) ? AfterFailure() : AfterAnswer(resolution);
        return TimeSpan.FromTicks(Math.Clamp(wait.Ticks, Shortest.Ticks, Longest.Ticks));
    }

    private TimeSpan AfterAnswer(DnsResolution resolution)
    {
        _backOff = null;
        var wait = settings.RefreshRate;
        if (settings.RespectTimeToLive && resolution.TimeToLive is { } ttl && ttl > TimeSpan.Zero)
        {
            wait = ttl > settings.MinRefreshRate ? ttl : settings.MinRefreshRate;

            // That there are no addresses may hold for hours by the zone's word; Envoy looks again at its own rate.
            wait = resolution.Addresses.Count == 0 && wait > settings.RefreshRate ? settings.RefreshRate : wait;
        }

        return wait + (settings.Jitter * random.NextDouble());
    }

    private TimeSpan AfterFailure()
    {
        if (settings.FailureRefreshRate is not { } rate)
        {
            return settings.RefreshRate;
        }

        var backOff = _backOff ?? rate.Base;
        _backOff = backOff < rate.Max / 2 ? backOff * 2 : rate.Max;
        return backOff * random.NextDouble();
    }
}
