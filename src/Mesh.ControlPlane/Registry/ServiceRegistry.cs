using System.Collections.Immutable;
using System.Net;
using Envoy.Config.Core.V3;
using Mesh.ControlPlane.Model;
using Mesh.ControlPlane.Security;
using Mesh.Xds.Serving;
using Microsoft.Extensions.Logging;

namespace Mesh.ControlPlane.Registry;

/// <summary>The workloads that said, over their ADS streams, that they can be called.</summary>
internal sealed partial class ServiceRegistry : IDisposable
{
    private readonly object _gate = new();
    private readonly Dictionary<string, Registration> _registrations = new(StringComparer.Ordinal);
    private readonly ServiceRegistryOptions _options;
    private readonly RegistrationsFile? _file;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private bool _disposed;

    public ServiceRegistry(ServiceRegistryOptions options, RegistrationsFile? file, TimeProvider time, ILogger<ServiceRegistry> logger)
    {
        _options = options;
        _file = file;
        _time = time;
        _logger = logger;
    }

    /// <summary>
    /// A workload can be called now or is another one than before, or can no longer be called (<see langword="null"/>).
    /// Called in the order of events, under the registry's lock: handlers only take notes.
    /// </summary>
    public event Action<string, WorkloadInstance?>? Changed;

    /// <summary>The workloads that can be called, by id.</summary>
    public ImmutableDictionary<string, WorkloadInstance> Current { get; private set; }
        = ImmutableDictionary.Create<string, WorkloadInstance>(StringComparer.Ordinal);

    /// <summary>Takes back what was known before a restart: those workloads are believed in until they had the time to come back.</summary>
    public void Restore()
    {
        if (_file is null)
        {
            return;
        }

        var restored = _file.Read().Where(workload => !LoopbackProbe.IsGone(workload)).ToList();
        lock (_gate)
        {
            foreach (var instance in restored)
            {
                if (!_registrations.ContainsKey(instance.Id))
                {
                    var registration = new Registration(instance) { IsReady = true };
                    _registrations[instance.Id] = registration;
                    StartGrace(registration, _options.RestartGrace);
                    Publish(registration);
                }
            }
        }

        if (restored.Count > 0)
        {
            Log.Restored(_logger, restored.Count, _options.RestartGrace.TotalSeconds);
        }
    }

    /// <summary>A node opened a stream.</summary>
    /// <returns>What speaks for its workload, or <see langword="null"/> when the node is only a client or may not register.</returns>
    /// <param name="connection">The stream.</param>
    /// <param name="node">The node.</param>
    /// <param name="metadata">What it says.</param>
    /// <param name="caller">Who it is; <see langword="null"/> when nothing proves it.</param>
    public WorkloadSession? Connect(AdsConnectionInfo connection, Node node, NodeMetadata metadata, AuthenticatedCaller? caller = null)
    {
        if (!metadata.HasAddresses)
        {
            return null;
        }

        if (node.Id.Length == 0)
        {
            Log.NoNodeId(_logger, connection.RemoteEndPoint);
            return null;
        }

        if (caller is null && !_options.AllowUnauthenticatedRegistration && !IsLocal(connection))
        {
            Log.NotLocal(_logger, node.Id, connection.RemoteEndPoint);
            return null;
        }

        var refused = new List<string>();
        var instance = metadata.ToInstance(connection.RemoteEndPoint, refused);
        if (refused.Count > 0)
        {
            Log.BadAddress(_logger, node.Id, string.Join(", ", refused));
        }

        if (instance.Addresses.Count == 0)
        {
            return null;
        }

        var session = new WorkloadSession(this, instance.Id);
        lock (_gate)
        {
            if (!connection.IsInProcess && HolderAgainst(instance, caller) is { } holder)
            {
                Log.Held(_logger, node.Id, connection.RemoteEndPoint, $"{instance.Namespace}/{instance.ServiceAccount}", holder);
                return null;
            }

            RemoveForerunners(instance, mayRemoveProven: caller is not null || connection.IsInProcess);
            if (_registrations.TryGetValue(instance.Id, out var registration))
            {
                registration.Grace?.Dispose();
                registration.Grace = null;
                if (!WorkloadComparer.Same(registration.Instance, instance))
                {
                    registration.Instance = instance;
                }
            }
            else
            {
                _registrations[instance.Id] = registration = new Registration(instance);
                var announced = string.Join(", ", instance.Addresses.Select(address => $"{address.Key}={address.Value}"));
                Log.Registered(_logger, instance.Name, instance.Namespace, announced, caller?.Credential ?? (connection.IsInProcess ? "its process" : "nothing"));
            }

            registration.Credential = caller?.Credential;

            // The newest stream speaks for the workload; the end of an older one changes nothing.
            registration.Session = session;
            registration.IsReady = metadata.IsReady && !registration.SaidGoodBye;
            Publish(registration);
        }

        return session;
    }

    public bool ReportReady(WorkloadSession session, bool ready)
    {
        lock (_gate)
        {
            if (!_registrations.TryGetValue(session.WorkloadId, out var registration) || registration.Session != session || registration.IsReady == ready)
            {
                return false;
            }

            registration.IsReady = ready;
            registration.SaidGoodBye = !ready;
            Publish(registration);
            return true;
        }
    }

    public void Disconnect(WorkloadSession session)
    {
        lock (_gate)
        {
            if (_disposed || !_registrations.TryGetValue(session.WorkloadId, out var registration) || registration.Session != session)
            {
                return;
            }

            registration.Session = null;
            if (registration.IsReady)
            {
                Log.Disconnected(_logger, registration.Instance.Name, registration.Instance.Namespace, _options.DisconnectGrace.TotalSeconds);
            }

            // Nobody calls one that said good-bye; that it did is remembered, lest a reconnect while it drains bring it back.
            StartGrace(registration, _options.DisconnectGrace);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            foreach (var registration in _registrations.Values)
            {
                registration.Grace?.Dispose();
            }
        }

        _file?.Dispose();
    }

    /// <summary>Whether a workload that runs now is of a service account and has proven so with another credential.</summary>
    public bool IsHeldByAnother(string @namespace, string serviceAccount, AuthenticatedCaller caller)
    {
        lock (_gate)
        {
            return HolderOf(@namespace, serviceAccount, caller.Credential) is not null;
        }
    }

    /// <summary>Whether a stream comes from this machine.</summary>
    public static bool IsLocal(AdsConnectionInfo connection) => connection.IsInProcess || CallerAuthenticator.IsLocal(connection.RemoteEndPoint);

    /// <summary>Whose place a newcomer would take without being the same: by his account, or by his id.</summary>
    private string? HolderAgainst(WorkloadInstance newcomer, AuthenticatedCaller? caller)
    {
        if (_registrations.TryGetValue(newcomer.Id, out var same) && same.Credential is not null
            && (caller is null || same.Instance.Namespace != newcomer.Namespace || same.Instance.ServiceAccount != newcomer.ServiceAccount))
        {
            return same.Credential;
        }

        return caller is null or { IsLocalUser: true } ? HolderOf(newcomer.Namespace, newcomer.ServiceAccount, caller?.Credential) : null;
    }

    private string? HolderOf(string @namespace, string serviceAccount, string? credential)
        => _registrations.Values.FirstOrDefault(other => other is { Session: not null, Credential: { } held } && held != credential
            && other.Instance.Namespace == @namespace && other.Instance.ServiceAccount == serviceAccount)?.Credential;

    /// <summary>A process that restarted has a new id and the old address: who was there before is certainly gone.</summary>
    private void RemoveForerunners(WorkloadInstance instance, bool mayRemoveProven)
    {
        foreach (var other in _registrations.Values
            .Where(other => other.Session is null && other.Instance.Id != instance.Id && (mayRemoveProven || other.Credential is null)).ToArray())
        {
            if (other.Instance.Addresses.Values.Any(address => instance.Addresses.Values.Contains(address)))
            {
                Remove(other);
            }
        }
    }

    private void StartGrace(Registration registration, TimeSpan grace)
    {
        if (grace == TimeSpan.Zero)
        {
            Remove(registration);
            return;
        }

        registration.Grace?.Dispose();
        registration.Grace = new GracePeriod(_time, grace, ended =>
        {
            lock (_gate)
            {
                // A timer may fire while it is being disposed of: only the current one counts.
                if (!_disposed && ReferenceEquals(registration.Grace, ended))
                {
                    Remove(registration);
                }
            }
        });
    }

    private void Remove(Registration registration)
    {
        registration.Grace?.Dispose();
        registration.Grace = null;
        registration.IsReady = false;
        if (_registrations.TryGetValue(registration.Instance.Id, out var current) && ReferenceEquals(current, registration))
        {
            _registrations.Remove(registration.Instance.Id);
            Log.Removed(_logger, registration.Instance.Name, registration.Instance.Namespace);
        }

        Publish(registration);
    }

    private void Publish(Registration registration)
    {
        var id = registration.Instance.Id;
        var before = Current.GetValueOrDefault(id);
        var now = registration.IsReady ? registration.Instance : null;
        if (ReferenceEquals(before, now))
        {
            return;
        }

        Current = now is null ? Current.Remove(id) : Current.SetItem(id, now);
        Changed?.Invoke(id, now);
        _file?.Write(Current);
    }

    private static partial class Log
    {
        [LoggerMessage(3201, LogLevel.Information, "Workload {Name} in {Namespace} registered: {Addresses}. It is vouched for by {Credential}.")]
        public static partial void Registered(ILogger logger, string name, string @namespace, string addresses, string credential);

        [LoggerMessage(3202, LogLevel.Information, "The stream of workload {Name} in {Namespace} ended without a good-bye; it is kept for {Seconds} s.")]
        public static partial void Disconnected(ILogger logger, string name, string @namespace, double seconds);

        [LoggerMessage(3203, LogLevel.Information, "Workload {Name} in {Namespace} is gone.")]
        public static partial void Removed(ILogger logger, string name, string @namespace);

        [LoggerMessage(3204, LogLevel.Information, "{Count} workloads are known from before the restart and have {Seconds} s to come back.")]
        public static partial void Restored(ILogger logger, int count, double seconds);

        [LoggerMessage(3205, LogLevel.Warning,
            "Node {NodeId} at {Remote} wants to be called but is not on this machine, and nothing proves who it is: "
            + "it is served as a client only. Mesh:ControlPlane:AllowUnauthenticatedRegistration admits it.")]
        public static partial void NotLocal(ILogger logger, string nodeId, EndPoint? remote);

        [LoggerMessage(3206, LogLevel.Warning, "Node {NodeId} announced addresses that are no ip:port and are left out: {Addresses}.")]
        public static partial void BadAddress(ILogger logger, string nodeId, string addresses);

        [LoggerMessage(3208, LogLevel.Warning,
            "Node {NodeId} at {Remote} says that it is {Account}, in the place of a workload that has proven who it is ({Holder}): it is served as a client only.")]
        public static partial void Held(ILogger logger, string nodeId, EndPoint? remote, string account, string holder);

        [LoggerMessage(3207, LogLevel.Warning, "A node at {Remote} announced addresses but has no id in its bootstrap: it is served as a client only.")]
        public static partial void NoNodeId(ILogger logger, EndPoint? remote);
    }
}
