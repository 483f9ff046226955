using Mesh.DataPlane.Identity;
using Mesh.DataPlane.Tls;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Inbound;

/// <summary>
/// The secrets that one listener has named, watched as long as it names them. New connections use what came last; what is gone, or was refused after
/// it had been good, leaves the last good one in use.
/// </summary>
/// <param name="client">Sends those of the control plane.</param>
/// <param name="identity">Has the process's own; <see langword="null"/> when it has none.</param>
/// <param name="changed">A secret has been answered, or is another now; called without a lock.</param>
internal sealed class InboundSecrets(IXdsClient client, ISecretSource? identity, Action<SecretReference> changed) : IDisposable
{
    private volatile Dictionary<SecretReference, SecretWatch> _watches = [];

    private IXdsClient Client { get; } = client;

    private ISecretSource? Identity { get; } = identity;

    private Action<SecretReference> Changed { get; } = changed;

    /// <summary>Whether of each is known what there is to know, be it that there is none.</summary>
    public bool AreAnswered => _watches.Values.All(watch => watch.IsAnswered);

    /// <summary>Watches what is named from now on, and nothing else; calls come one at a time.</summary>
    public void Use(IEnumerable<SecretReference> names)
    {
        var before = _watches;
        var watches = names.Distinct().ToDictionary(name => name, name => before.GetValueOrDefault(name) ?? new SecretWatch(this, name));
        _watches = watches;
        foreach (var (name, watch) in before)
        {
            if (!watches.ContainsKey(name))
            {
                watch.Stop();
            }
        }

        foreach (var (name, watch) in watches)
        {
            if (!before.ContainsKey(name))
            {
                watch.Start();
            }
        }
    }

    /// <exception cref="TlsFailureException">It has not come.</exception>
    public SecretResource Get(SecretReference name)
        => _watches.GetValueOrDefault(name)?.Latest ?? throw new TlsFailureException(
            TlsErrors.NotReady,
            !name.IsOwn ? $"The control plane has not sent the secret '{name}'."
            : Identity is null ? "This process has no identity: Mesh:Identity says where it would get one."
            : name.Name == ISecretSource.Certificate ? "This process has no certificate yet."
            : "This process does not know yet whom to trust.");

    public void Dispose()
    {
        foreach (var watch in _watches.Values)
        {
            watch.Stop();
        }
    }

    private sealed class SecretWatch(InboundSecrets owner, SecretReference name) : IResourceWatcher<SecretResource>
    {
        private volatile SecretResource? _latest;
        private volatile bool _isAnswered = name.IsOwn && owner.Identity is null;
        private volatile bool _stopped;
        private IDisposable? _watch;

        public SecretResource? Latest => _latest;

        public bool IsAnswered => _isAnswered;

        public void Start() => _watch = !name.IsOwn ? owner.Client.Watch(SecretType.Instance, name.Name, this) : owner.Identity?.Watch(name.Name, this);

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
            if (error.Kind != ResourceErrorKind.Unavailable && !_isAnswered)
            {
                Answer();
            }
        }

        public void OnAmbientError(string resourceName, ResourceError error)
        {
        }

        private void Answer()
        {
            _isAnswered = true;
            if (!_stopped)
            {
                owner.Changed(name);
            }
        }
    }
}
