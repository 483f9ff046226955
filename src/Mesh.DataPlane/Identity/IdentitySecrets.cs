using System.Collections.Immutable;
using System.Globalization;
using Mesh.DataPlane.Tls;
using Mesh.Xds.Client;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Identity;

/// <summary>The latest of each secret of the process, and who wants to know. What was good stays until something better comes.</summary>
internal sealed partial class IdentitySecrets(ILogger logger) : ISecretSource
{
    private readonly Lock _gate = new();
    private ImmutableDictionary<string, State> _states = ImmutableDictionary.Create<string, State>(StringComparer.Ordinal);
    private ImmutableArray<Subscription> _subscriptions = [];

    public SecretResource? Latest(string name) => _states.GetValueOrDefault(name)?.Resource;

    public void Publish(SecretResource resource) => Change(resource.Name, state => new State(resource, null, state.Version + 1));

    /// <summary>Something is wrong with a secret; the last good one stays.</summary>
    public void Fail(string name, ResourceErrorKind kind, string message) => Change(name, state => new State(state.Resource, new ResourceError(kind, message), state.Version));

    /// <summary>The last good one is good again; whoever begins to watch is told of no error.</summary>
    public void Recover(string name) => Change(name, state => new State(state.Resource, null, state.Version));

    public IDisposable Watch(string name, IResourceWatcher<SecretResource> watcher)
    {
        var subscription = new Subscription(this, name, watcher);
        lock (_gate)
        {
            _subscriptions = _subscriptions.Add(subscription);
        }

        subscription.Deliver();
        return subscription;
    }

    private void Change(string name, Func<State, State> change)
    {
        ImmutableArray<Subscription> subscriptions;
        lock (_gate)
        {
            _states = _states.SetItem(name, change(_states.GetValueOrDefault(name) ?? State.None));
            subscriptions = _subscriptions;
        }

        foreach (var subscription in subscriptions)
        {
            if (subscription.Name == name)
            {
                subscription.Deliver();
            }
        }
    }

    private ILogger Logger => logger;

    private State Of(string name) => Volatile.Read(ref _states).GetValueOrDefault(name) ?? State.None;

    private void Remove(Subscription subscription)
    {
        lock (_gate)
        {
            _subscriptions = _subscriptions.Remove(subscription);
        }
    }

    // No record: of two that are equal the dictionary keeps the older, and nobody would be told of what happened again.
    private sealed class State(SecretResource? resource, ResourceError? error, int version)
    {
        public static State None { get; } = new(null, null, 0);

        public SecretResource? Resource => resource;

        public ResourceError? Error => error;

        public int Version => version;
    }

    // Watchers take locks of their own, under which others begin to watch: no lock is held while one is told.
    private sealed class Subscription(IdentitySecrets owner, string name, IResourceWatcher<SecretResource> watcher) : IDisposable
    {
        private State _told = State.None;
        private int _pending;
        private volatile bool _disposed;

        public string Name => name;

        /// <summary>Tells what is new; whoever comes while somebody else does leaves it to him.</summary>
        public void Deliver()
        {
            if (Interlocked.Increment(ref _pending) != 1)
            {
                return;
            }

            int seen;
            do
            {
                seen = Volatile.Read(ref _pending);
                try
                {
                    Tell(owner.Of(name));
                }
                catch (Exception e)
                {
                    // One that fails keeps neither others from being told, nor the next certificate from coming.
                    Log.WatcherFailed(owner.Logger, name, e);
                }
            }
            while (Interlocked.Add(ref _pending, -seen) != 0);
        }

        public void Dispose()
        {
            _disposed = true;
            owner.Remove(this);
        }

        private void Tell(State state)
        {
            var before = _told;
            _told = state;
            if (state.Version != before.Version && !_disposed)
            {
                watcher.OnChanged(name, state.Resource!, state.Version.ToString(CultureInfo.InvariantCulture));
            }

            if (state.Error is { } error && !ReferenceEquals(error, before.Error) && !_disposed)
            {
                if (state.Resource is null)
                {
                    watcher.OnResourceError(name, error);
                }
                else
                {
                    watcher.OnAmbientError(name, error);
                }
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(9, LogLevel.Error, "Something that watches the workload's own {Name} failed.")]
        public static partial void WatcherFailed(ILogger logger, string name, Exception exception);
    }
}
