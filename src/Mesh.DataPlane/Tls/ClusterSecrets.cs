using Mesh.DataPlane.Identity;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Tls;

/// <summary>
/// The secrets that one cluster has named, watched as long as it names them: the workload's own where it has them, all others at the control plane.
/// New connections use what came last; what is gone, or was refused after it had been good, leaves the last good one in use.
/// </summary>
internal sealed class ClusterSecrets : IDisposable
{
    private readonly SecretSources _sources;
    private readonly Lock _sync;
    private readonly Action _answered;
    private readonly Action _changed;
    private volatile Dictionary<SecretReference, SecretWatch> _watches = [];
    private int _version;

    /// <param name="sources">Where secrets are.</param>
    /// <param name="sync">The configuration's lock.</param>
    /// <param name="answered">Called with the lock held when each has been answered.</param>
    /// <param name="changed">Called without when one is another than before.</param>
    public ClusterSecrets(SecretSources sources, Lock sync, Action answered, Action changed)
        => (_sources, _sync, _answered, _changed) = (sources, sync, answered, changed);

    /// <summary>Whether of each is known what there is to know, be it that there is none.</summary>
    public bool AreAnswered => _watches.Values.All(watch => watch.IsAnswered);

    /// <summary>Another number whenever a secret has changed: who has used one looks whether it is still the same.</summary>
    public int Version => Volatile.Read(ref _version);

    /// <summary>Watches what is named from now on, and nothing else; with the lock held.</summary>
    public void Use(IEnumerable<UpstreamTls> all)
    {
        var contexts = all.ToList();
        contexts.ForEach(tls => tls.Secrets ??= this);
        Watch([.. contexts.SelectMany(tls => new[] { tls.CertificateSecret, tls.ValidationSecret }).OfType<SecretReference>()]);

        // Last: who still connects by what an earlier watch of the cluster has left finds secrets at any time.
        contexts.ForEach(tls => tls.Secrets = this);
    }

    /// <exception cref="TlsFailureException">It has not come.</exception>
    public SecretResource Get(SecretReference name)
        => _watches.GetValueOrDefault(name)?.Latest
            ?? throw (!name.IsOwn ? new TlsFailureException(TlsErrors.NotReady, $"The control plane has not sent the secret '{name}'.")
                : _sources.HasIdentity ? new TlsFailureException(TlsErrors.NotReady, $"The identity of this workload ('{name}') has not come.")
                : new TlsFailureException(TlsErrors.NoIdentity, "Mutual TLS is asked for, and this workload has no identity; Mesh:Identity says where one comes from."));

    public void Dispose()
    {
        foreach (var watch in _watches.Values)
        {
            watch.Stop();
        }
    }

    private void Watch(HashSet<SecretReference> names)
    {
        var before = _watches;
        if (names.SetEquals(before.Keys))
        {
            return;
        }

        var watches = new Dictionary<SecretReference, SecretWatch>();
        var added = new List<SecretWatch>();
        foreach (var name in names)
        {
            if (!before.TryGetValue(name, out var watch))
            {
                added.Add(watch = new SecretWatch(this, name));
            }

            watches.Add(name, watch);
        }

        _watches = watches;
        foreach (var (name, watch) in before)
        {
            if (!watches.ContainsKey(name))
            {
                watch.Stop();
            }
        }

        added.ForEach(watch => watch.Start());
    }

    private void Answer(SecretWatch watch)
    {
        lock (_sync)
        {
            if (watch.TryAnswer() && AreAnswered)
            {
                _answered();
            }
        }
    }

    private void Change()
    {
        Interlocked.Increment(ref _version);
        _changed();
    }

    private sealed class SecretWatch(ClusterSecrets owner, SecretReference name) : IResourceWatcher<SecretResource>
    {
        private volatile SecretResource? _latest;
        private IDisposable? _watch;
        private ITimer? _patience;
        private volatile bool _stopped;

        public SecretResource? Latest => _latest;

        public bool IsAnswered { get; private set; }

        public void Start()
        {
            if (owner._sources.Watch(name, this) is not { } watch)
            {
                IsAnswered = true;
                return;
            }

            _watch = watch;
            if (name.IsOwn && !IsAnswered)
            {
                // Whoever issues certificates may be away: the cluster's routes do not wait for ever, its requests fail by themselves.
                _patience = owner._sources.Time.CreateTimer(static w => ((SecretWatch)w!).Answer(), this, owner._sources.Patience, Timeout.InfiniteTimeSpan);
            }
        }

        public void Stop()
        {
            _stopped = true;
            _watch?.Dispose();
            _patience?.Dispose();
        }

        public void OnChanged(string resourceName, SecretResource resource, string version)
        {
            var isOther = _latest is not null;
            _latest = resource;
            Answer();
            if (isOther && !_stopped)
            {
                owner.Change();
            }
        }

        public void OnResourceError(string resourceName, ResourceError error)
        {
            if (error.Kind != ResourceErrorKind.Unavailable)
            {
                Answer();
            }
        }

        public void OnAmbientError(string resourceName, ResourceError error)
        {
        }

        public bool TryAnswer()
        {
            if (_stopped || IsAnswered)
            {
                return false;
            }

            _patience?.Dispose();
            return IsAnswered = true;
        }

        private void Answer() => owner.Answer(this);
    }
}
