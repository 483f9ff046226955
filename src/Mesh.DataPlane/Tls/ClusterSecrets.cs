using Mesh.Xds.Client;

namespace Mesh.DataPlane.Tls;

/// <summary>
/// The secrets that one cluster has named, watched as long as it names them. New connections use what came last; what is gone, or was refused after
/// it had been good, leaves the last good one in use.
/// </summary>
internal sealed class ClusterSecrets(IXdsClient client, Lock sync, Action answered) : IDisposable
{
    private volatile Dictionary<string, SecretWatch> _watches = new(StringComparer.Ordinal);

    /// <summary>Whether the control plane has said of each what it has to say, be it that there is none.</summary>
    public bool AreAnswered => _watches.Values.All(watch => watch.IsAnswered);

    /// <summary>Watches what is named from now on, and nothing else; with the lock held.</summary>
    public void Use(UpstreamTls? tls)
    {
        var names = tls is null ? [] : new[] { tls.CertificateSecret, tls.ValidationSecret }.OfType<string>().Distinct(StringComparer.Ordinal).ToArray();
        if (tls is not null)
        {
            tls.Secrets = this;
        }

        var before = _watches;
        if (names.Length == before.Count && names.All(before.ContainsKey))
        {
            return;
        }

        var watches = new Dictionary<string, SecretWatch>(StringComparer.Ordinal);
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

    /// <exception cref="TlsFailureException">It has not come.</exception>
    public SecretResource Get(string name)
        => _watches.GetValueOrDefault(name)?.Latest
            ?? throw new TlsFailureException(TlsErrors.NotReady, $"The control plane has not sent the secret '{name}'.");

    public void Dispose()
    {
        foreach (var watch in _watches.Values)
        {
            watch.Stop();
        }
    }

    private sealed class SecretWatch(ClusterSecrets owner, string name) : IResourceWatcher<SecretResource>
    {
        private volatile SecretResource? _latest;
        private IDisposable? _watch;
        private bool _stopped;

        public SecretResource? Latest => _latest;

        public bool IsAnswered { get; private set; }

        public void Start() => _watch = owner.Watch(name, this);

        public void Stop()
        {
            _stopped = true;
            _watch?.Dispose();
        }

        public void OnChanged(string resourceName, SecretResource resource, string version)
        {
            _latest = resource;
            Answer();
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

        private void Answer()
        {
            owner.Answer(this);
        }

        public bool TryAnswer()
        {
            if (_stopped || IsAnswered)
            {
                return false;
            }

            return IsAnswered = true;
        }
    }

    private IDisposable Watch(string name, SecretWatch watch) => client.Watch(SecretType.Instance, name, watch);

    private void Answer(SecretWatch watch)
    {
        lock (sync)
        {
            if (watch.TryAnswer() && AreAnswered)
            {
                answered();
            }
        }
    }
}
