using Mesh.Xds.Validation;

namespace Mesh.Xds.Client;

/// <summary>What the passing of time means: silence of the server, and resources with a time to live.</summary>
internal sealed partial class ResourceStore
{
    private static readonly TimeSpan TransientResourceTimeout = TimeSpan.FromSeconds(30);

    /// <summary>The request for these has been written to a live stream.</summary>
    public void StartResourceTimers(XdsChannel channel, IEnumerable<ResourceEntry> entries)
    {
        var transient = channel.Has(XdsServerFeatures.ResourceTimerIsTransientError);
        var timeout = transient && options.ResourceTimeout < TransientResourceTimeout ? TransientResourceTimeout : options.ResourceTimeout;
        foreach (var entry in entries)
        {
            if (!entry.Table.Unanswered.Remove(entry) || entry.Resource is not null || entry.ResourceTimer is not null)
            {
                continue;
            }

            ITimer? timer = null;
            timer = options.TimeProvider.CreateTimer(
                _ => enqueue(() =>
                {
                    if (entry.ResourceTimer == timer && timer is not null)
                    {
                        OnResourceTimeout(entry, channel, timeout, transient);
                    }
                }),
                null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            entry.ResourceTimer = timer;
            timer.Change(timeout, Timeout.InfiniteTimeSpan);
        }
    }

    public void Stop()
    {
        foreach (var entry in _ordered.SelectMany(t => t.Entries))
        {
            entry.StopResourceTimer();
            entry.StopTimeToLive();
        }
    }

    private void OnResourceTimeout(ResourceEntry entry, XdsChannel channel, TimeSpan timeout, bool transient)
    {
        entry.StopResourceTimer();
        var what = $"{entry.Table.Type.ShortName} {entry.Name}";
        var server = channel.Server.Transport.Target;
        entry.State = transient ? ResourceState.Timeout : ResourceState.DoesNotExist;
        Fail(entry, transient
            ? new ResourceError(ResourceErrorKind.Unavailable, $"{what}: {server} did not answer within {timeout.TotalSeconds} s")
            : new ResourceError(ResourceErrorKind.DoesNotExist, $"{what} does not exist: {server} did not answer within {timeout.TotalSeconds} s"));
    }

    private void StartTimeToLive(XdsChannel channel, ResourceEntry entry, TimeSpan? timeToLive)
    {
        entry.StopTimeToLive();
        if (timeToLive is not { } duration)
        {
            return;
        }

        ITimer? timer = null;
        timer = options.TimeProvider.CreateTimer(
            _ => enqueue(() =>
            {
                if (entry.TimeToLiveTimer == timer && timer is not null)
                {
                    entry.StopTimeToLive();
                    Expire(entry);
                }
            }),
            null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        entry.TimeToLiveTimer = timer;
        timer.Change(duration > TimeSpan.Zero ? TimerRange.Limit(duration) : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    private void Expire(ResourceEntry entry)
    {
        Drop(entry);
        entry.State = ResourceState.DoesNotExist;
        Fail(entry, new ResourceError(ResourceErrorKind.DoesNotExist, $"{entry.Table.Type.ShortName} {entry.Name} does not exist: its time to live has passed"));
        if (entry.Watches.Count == 0)
        {
            entry.Table.Forget(entry);
        }
    }
}
