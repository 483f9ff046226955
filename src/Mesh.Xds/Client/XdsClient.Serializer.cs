using Mesh.Xds.Ads;

namespace Mesh.Xds.Client;

/// <summary>What runs on the serializer: change the state, call the watchers, tell the servers.</summary>
internal sealed partial class XdsClient
{
    private void Process(Action change)
    {
        Change(change);
        Deliver();
        Flush();
    }

    private void Change(Action change)
    {
        lock (_gate)
        {
            try
            {
                change();
            }
            catch (Exception e)
            {
                Log.Unexpected(_options.Logger, e);
            }
        }
    }

    /// <summary>Calls watchers, one at a time and outside the lock, until neither calls nor what they asked for are left.</summary>
    private void Deliver()
    {
        while (true)
        {
            ResourceWatch watch;
            Action<ResourceWatch> call;
            lock (_gate)
            {
                while (!_store.TryTakeCall(out watch, out call))
                {
                    if (!_followUps.TryDequeue(out var followUp))
                    {
                        return;
                    }

                    Change(followUp);
                }
            }

            if (watch.IsDisposed)
            {
                continue;
            }

            try
            {
                call(watch);
            }
            catch (Exception e)
            {
                Log.WatcherFailed(_options.Logger, e, watch.Type.ShortName, watch.Name);
            }
        }
    }

    private void Receive(XdsChannel channel, AdsStream stream, AdsUpdate update)
    {
        ResourceTable? table = null;
        string? nack = null;
        lock (_gate)
        {
            if (_disposed || !_channels.Contains(channel))
            {
                return;
            }

            CloseLowerThan(channel);
            channel.ControlPlane = update.ControlPlane;
            if (channel.ClearFailure())
            {
                _outage = null;
                _store.OnAvailable();
            }

            if (update.TypeUrl == TypeUrls.HealthInformation)
            {
                // The version of our own control plane's answer says which report it answers.
                if (_health is { Healthy: false } && update.Version != Serving.HealthReports.Healthy)
                {
                    _drained.TrySetResult();
                }
            }
            else if ((table = _store.FindTable(update.TypeUrl)) is null)
            {
                // Never asked for: neither ACK nor NACK (xDS protocol: a client ignores types that it does not know).
                Log.UnknownType(_options.Logger, channel.Server.Transport.Target, update.TypeUrl);
            }
            else
            {
                nack = _store.Apply(channel, table, update);
            }
        }

        Deliver();
        if (table is not null)
        {
            try
            {
                ResponseDelivered?.Invoke();
            }
            catch (Exception e)
            {
                Log.WatcherFailed(_options.Logger, e, table.Type.ShortName, nameof(ResponseDelivered));
            }

            Deliver();
        }

        lock (_gate)
        {
            QueueChanges();
            if (table is not null)
            {
                if (nack is not null)
                {
                    Log.Refused(_options.Logger, channel.Server.Transport.Target, update.Version, nack);
                }

                table.OnAnswered(new XdsAnswer(update.Version, update.Nonce, _options.TimeProvider.GetUtcNow(), nack));
                channel.QueueAck(stream, table, update, nack);
            }
        }

        Flush();
    }

    private void Flush()
    {
        lock (_gate)
        {
            QueueChanges();
            var wanted = !_disposed && (_health is not null || _store.HasWatches);
            foreach (var channel in _channels)
            {
                channel.SetWanted(wanted);
                channel.Pump();
            }

            if (!wanted)
            {
                foreach (var table in _store.Tables)
                {
                    table.Prune();
                }
            }
        }
    }

    private void QueueChanges()
    {
        foreach (var table in _changed)
        {
            foreach (var channel in _channels)
            {
                channel.QueueSubscription(table);
            }

            if (!_channels.Any(c => c.IsConnected))
            {
                table.Prune();
            }
        }

        _changed.Clear();
    }
}
