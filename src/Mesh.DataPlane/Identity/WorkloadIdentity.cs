using System.Security.Cryptography.X509Certificates;
using Mesh.DataPlane.Tls;
using Mesh.Identity;
using Mesh.Xds.Client;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Identity;

/// <summary>The identity of this process: the one source of its certificate and of those whom it trusts, running from start to end.</summary>
internal sealed partial class WorkloadIdentity : ISecretSource, IAsyncDisposable, IDisposable
{
    private readonly IIdentitySource _source;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly IdentitySecrets _secrets;
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _settled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private Task _running = Task.CompletedTask;
    private volatile IdentityStatus _status;
    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, bool> _lacking = new(StringComparer.Ordinal);

    // What failed last of each secret, the latest at the end, until that secret succeeds: the agent's two streams tell at the same time.
    private readonly List<(string Name, string Message)> _failures = [];
    private bool _started;
    private bool _toldExpired;

    public WorkloadIdentity(IIdentitySource source, TimeProvider time, ILogger logger)
    {
        (_source, _time, _logger) = (source, time, logger);
        _secrets = new IdentitySecrets(logger);
        _status = new IdentityStatus(source.Description, null, null, null, null, null);
    }

    public IdentityStatus Status => _status;

    /// <summary>Completes with the first certificate and the authorities, or when it is clear that they will not come by waiting.</summary>
    public Task Settled => _settled.Task;

    public bool IsReady => Has(ISecretSource.Certificate) && Has(ISecretSource.Authorities);

    /// <summary>Begins, once; the caller does not wait.</summary>
    public void Start()
    {
        lock (_gate)
        {
            if (_started)
            {
                return;
            }

            _started = true;
            _running = Task.Run(RunAsync);
        }
    }

    /// <summary>What is in use; <see langword="null"/> while there is nothing.</summary>
    /// <param name="name"><see cref="ISecretSource.Certificate"/> or <see cref="ISecretSource.Authorities"/>.</param>
    public SecretResource? Latest(string name) => _secrets.Latest(name);

    public IDisposable Watch(string name, IResourceWatcher<SecretResource> watcher) => _secrets.Watch(name, watcher);

    /// <summary>A certificate has come. One that has expired does not take the place of any.</summary>
    /// <exception cref="IdentityException">It has expired.</exception>
    public void UseCertificate(ClientCertificate certificate)
    {
        var own = certificate.Get().TargetCertificate;
        var (from, until) = (new DateTimeOffset(own.NotBefore.ToUniversalTime()), new DateTimeOffset(own.NotAfter.ToUniversalTime()));
        if (until <= _time.GetUtcNow())
        {
            throw new IdentityException($"the certificate with serial number {own.SerialNumber} has expired at {until:u}");
        }

        var id = SpiffeCertificate.Check(own, SubjectAltNames.Of(own), isRequired: true, out var read) is null ? read : (SpiffeId?)null;
        bool isFirst;
        lock (_gate)
        {
            isFirst = _status.ValidUntil is null;
            Forget(ISecretSource.Certificate);
            _status = new IdentityStatus(_source.Description, id, from, until, own.SerialNumber, LastFailure);
        }

        _secrets.Publish(new SecretResource(ISecretSource.Certificate, certificate, null));
        if (isFirst)
        {
            Log.Ready(_logger, id is null ? "somebody without a SPIFFE identity" : id.Value.ToString(), _source.Description, until);
        }
        else
        {
            Log.Renewed(_logger, own.SerialNumber, until);
        }

        Settle();
    }

    /// <summary>Whom to trust has come.</summary>
    /// <exception cref="IdentityException">It is nobody, or all have expired.</exception>
    public void UseAuthorities(Envoy.Extensions.TransportSockets.Tls.V3.CertificateValidationContext authorities)
    {
        try
        {
            var validation = CertificateValidationCompiler.Compile(authorities, "validation_context");
            var roots = validation.Roots?.Get().AsEnumerable() ?? validation.TrustDomains?.Bundles.Values.SelectMany(b => b.Authorities);
            validation.Revoked?.Get();
            CheckRoots(roots?.ToList());
        }
        catch (Exception e) when (e is ResourceRejectedException or TlsFailureException)
        {
            throw new IdentityException($"the authorities cannot be used: {e.Message}", e);
        }

        if (_secrets.Latest(ISecretSource.Authorities) is { } before && before.Validation!.Equals(authorities))
        {
            Recover(ISecretSource.Authorities);
            return;
        }

        lock (_gate)
        {
            Forget(ISecretSource.Authorities);
            _status = _status with { LastError = LastFailure };
        }

        Log.Authorities(_logger, _source.Description);
        _secrets.Publish(new SecretResource(ISecretSource.Authorities, null, authorities));
        Settle();
    }

    /// <summary>Something did not succeed, and will be tried again.</summary>
    /// <param name="message">Why.</param>
    /// <param name="isFinal">Whether it will not come by waiting for a while: a start that waits for it goes on.</param>
    /// <param name="names">What is missing: <see cref="ISecretSource.Certificate"/>, <see cref="ISecretSource.Authorities"/>.</param>
    public void Fail(string message, bool isFinal, params ReadOnlySpan<string> names)
    {
        bool hasExpired;
        bool isNew;
        DateTimeOffset? validUntil;
        lock (_gate)
        {
            validUntil = _status.ValidUntil;
            hasExpired = validUntil is { } until && until <= _time.GetUtcNow();
            isNew = hasExpired && !_toldExpired;
            _toldExpired = hasExpired;
            var isKnown = false;
            foreach (var name in names)
            {
                isKnown |= _failures.Contains((name, message));
                Forget(name);
                _failures.Add((name, message));
            }

            isNew |= !isKnown;
            _status = _status with { LastError = LastFailure };
        }

        if (isNew && hasExpired)
        {
            Log.Expired(_logger, _source.Description, message, validUntil);
        }
        else if (isNew && validUntil is null)
        {
            Log.Missing(_logger, _source.Description, message);
        }
        else if (isNew)
        {
            Log.Kept(_logger, _source.Description, message, validUntil);
        }

        foreach (var name in names)
        {
            _secrets.Fail(name, isFinal ? ResourceErrorKind.Invalid : ResourceErrorKind.Unavailable, message);
        }

        if (isFinal)
        {
            _settled.TrySetResult();
        }
    }

    /// <summary>What is in use is what the source has: if anything was wrong with it meanwhile, that has passed.</summary>
    /// <param name="name"><see cref="ISecretSource.Certificate"/> or <see cref="ISecretSource.Authorities"/>.</param>
    public void Recover(string name)
    {
        lock (_gate)
        {
            if (!Forget(name))
            {
                return;
            }

            _status = _status with { LastError = LastFailure };
        }

        _secrets.Recover(name);
        Log.Recovered(_logger, _source.Description, name);
    }

    /// <summary>What failed last of a secret, until it succeeds.</summary>
    public string? ErrorOf(string name)
    {
        lock (_gate)
        {
            return _failures.Find(failure => failure.Name == name).Message;
        }
    }

    /// <summary>The source does not have this, and will not.</summary>
    public void Lack(string name, string message)
    {
        _lacking.TryAdd(name, true);
        _secrets.Fail(name, ResourceErrorKind.DoesNotExist, message);
        Settle();
    }

    public void Dispose() => _ = DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        try
        {
            await _stopping.CancelAsync().ConfigureAwait(false);
        }
        catch (ObjectDisposedException)
        {
            return;
        }

        Task running;
        lock (_gate)
        {
            _started = true;
            running = _running;
        }

        await running.ConfigureAwait(false);
        _settled.TrySetResult();
        _stopping.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            await _source.RunAsync(this, _stopping.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The end.
        }
        catch (Exception e)
        {
            // Sources try again by themselves: this is a fault of theirs, and no reason to take the process down.
            Log.Broken(_logger, _source.Description, e);
            _settled.TrySetResult();
        }
    }

    private void CheckRoots(List<X509Certificate2>? roots)
    {
        var now = _time.GetUtcNow();
        if (roots is null or [])
        {
            throw new IdentityException("there is no authority among what came");
        }

        if (roots.TrueForAll(root => root.NotAfter.ToUniversalTime() <= now.UtcDateTime))
        {
            throw new IdentityException($"the authority '{roots[0].Subject}' has expired at {roots[0].NotAfter.ToUniversalTime():u}");
        }
    }

    private string? LastFailure => _failures is [.., var last] ? last.Message : null;

    private bool Forget(string name) => _failures.RemoveAll(failure => failure.Name == name) > 0;

    private bool Has(string name) => _secrets.Latest(name) is not null || _lacking.ContainsKey(name);

    private void Settle()
    {
        if (IsReady)
        {
            _settled.TrySetResult();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "This workload is {Identity}, by {Source}; its certificate is valid until {Until:u}.")]
        public static partial void Ready(ILogger logger, string identity, string source, DateTimeOffset until);

        [LoggerMessage(2, LogLevel.Information, "The workload's certificate was renewed: serial number {Serial}, valid until {Until:u}.")]
        public static partial void Renewed(ILogger logger, string serial, DateTimeOffset until);

        [LoggerMessage(3, LogLevel.Information, "The authorities that this workload trusts have come from {Source}.")]
        public static partial void Authorities(ILogger logger, string source);

        [LoggerMessage(4, LogLevel.Warning, "This workload has no identity yet: {Source}: {Reason}. Until it has one, mutual TLS is refused.")]
        public static partial void Missing(ILogger logger, string source, string reason);

        [LoggerMessage(5, LogLevel.Warning, "The workload's identity cannot be renewed: {Source}: {Reason}. The one in use stays, valid until {Until:u}; it will be tried again.")]
        public static partial void Kept(ILogger logger, string source, string reason, DateTimeOffset? until);

        [LoggerMessage(6, LogLevel.Error, "The workload's certificate has expired at {Until:u} and cannot be renewed: {Source}: {Reason}. Peers refuse it.")]
        public static partial void Expired(ILogger logger, string source, string reason, DateTimeOffset? until);

        [LoggerMessage(7, LogLevel.Critical, "The workload's identity is renewed no longer: {Source} failed.")]
        public static partial void Broken(ILogger logger, string source, Exception exception);

        [LoggerMessage(10, LogLevel.Information, "{Source} has the workload's {Name} as it is in use: what was wrong has passed.")]
        public static partial void Recovered(ILogger logger, string source, string name);
    }
}
