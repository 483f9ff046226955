namespace Mesh.DataPlane.Dns;

/// <summary>Asks for a name once at a time, however many clusters want to know it at that moment: all of them get the one answer.</summary>
internal sealed class SharedLookups(IDnsResolver resolver) : IDnsResolver
{
    private readonly Lock _sync = new();
    private readonly Dictionary<DnsQuery, Lookup> _running = new(SameName.Instance);

    public async ValueTask<DnsResolution> ResolveAsync(DnsQuery query, CancellationToken cancellationToken)
    {
        Lookup? lookup;
        var isFirst = false;
        lock (_sync)
        {
            if (!_running.TryGetValue(query, out lookup))
            {
                _running.Add(query, lookup = new Lookup());
                isFirst = true;
            }

            lookup.Waiting++;
        }

        if (isFirst)
        {
            _ = RunAsync(query, lookup);
        }

        try
        {
            return await lookup.Answer.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Leave(query, lookup);
        }
    }

    private async Task RunAsync(DnsQuery query, Lookup lookup)
    {
        DnsResolution resolution;
        try
        {
            resolution = await resolver.ResolveAsync(query, lookup.Abandoned.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // Of which nobody hears who has left.
            resolution = DnsResolution.Failed($"{query.Host}: {e.Message}");
        }

        // Whoever asks from now on wants a newer answer.
        Forget(query, lookup);
        lookup.Answer.TrySetResult(resolution);
    }

    private void Leave(DnsQuery query, Lookup lookup)
    {
        lock (_sync)
        {
            if (--lookup.Waiting > 0)
            {
                return;
            }

            Remove(query, lookup);
        }

        lookup.Abandoned.Cancel();
    }

    private void Forget(DnsQuery query, Lookup lookup)
    {
        lock (_sync)
        {
            Remove(query, lookup);
        }
    }

    private void Remove(DnsQuery query, Lookup lookup)
    {
        if (_running.TryGetValue(query, out var current) && ReferenceEquals(current, lookup))
        {
            _running.Remove(query);
        }
    }

    private sealed class Lookup
    {
        public TaskCompletionSource<DnsResolution> Answer { get; } = new();

        public CancellationTokenSource Abandoned { get; } = new();

        public int Waiting { get; set; }
    }

    /// <summary>Names are the same whatever their case.</summary>
    private sealed class SameName : IEqualityComparer<DnsQuery>
    {
        public static SameName Instance { get; } = new();

        public bool Equals(DnsQuery x, DnsQuery y)
            => (x.Family, x.UseTcp) == (y.Family, y.UseTcp) && string.Equals(x.Host, y.Host, StringComparison.OrdinalIgnoreCase);

        public int GetHashCode(DnsQuery obj) => HashCode.Combine(StringComparer.OrdinalIgnoreCase.GetHashCode(obj.Host), obj.Family, obj.UseTcp);
    }
}
