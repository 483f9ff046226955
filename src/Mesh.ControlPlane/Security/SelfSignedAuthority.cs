using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Mesh.ControlPlane.Security;

/// <summary>
/// An authority of the control plane's own making. A root is replaced in three steps, so that nobody meets a certificate whose root he does not know:
/// the new one is trusted first, then signs, and the old one is trusted until all that it signed has expired. Several control planes may share a folder.
/// </summary>
internal sealed partial class SelfSignedAuthority : IIssuerSource
{
    private const string FileName = "authority.json";
    private const int MaxBytes = 1 << 20;

    /// <summary>A root with less than this part of its life left is replaced (Istio's <c>CITADEL_SELF_SIGNED_ROOT_CERT_GRACE_PERIOD_PERCENTILE</c>).</summary>
    private const double RenewBelow = 0.2;

    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(10);

    private readonly SelfSignedAuthorityOptions _options;
    private readonly Func<string> _trustDomain;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private AuthorityState? _state;
    private string? _seen;
    private string? _told;
    private FileStamp? _stamp;
    private volatile Issuer? _current;
    private ITimer? _timer;
    private bool _disposed;

    public SelfSignedAuthority(SelfSignedAuthorityOptions options, Func<string> trustDomain, TimeProvider time, ILogger logger)
    {
        _options = options;
        _trustDomain = trustDomain;
        _time = time;
        _logger = logger;
    }

    public event Action? Changed;

    public Issuer Current
    {
        get
        {
            if (_current is { } current)
            {
                return current;
            }

            lock (_gate)
            {
                return _current ?? Exclusively(() => Read() ?? Create());
            }
        }
    }

    public RootRotation Rotation
    {
        get
        {
            lock (_gate)
            {
                return _state is null or { Next: null, Retired.Count: 0 } ? RootRotation.None
                    : _state.Next is not null ? RootRotation.Announced
                    : RootRotation.Overlap;
            }
        }
    }

    private string? StatePath => _options.Folder is { } folder ? Path.Combine(folder, FileName) : null;

    public void Start()
    {
        lock (_gate)
        {
            if (_current is null && Read() is { } state)
            {
                Take(state);
            }
        }
    }

    public void BeginRotation()
    {
        _ = Current;
        lock (_gate)
        {
            Exclusively(() =>
            {
                var state = Read() ?? _state!;
                return state.Next is null
                    ? Announce(state)
                    : throw new InvalidOperationException($"a root was announced at {state.AnnouncedAt:u} and does not sign yet: one at a time");
            });
        }

        Changed?.Invoke();
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _timer?.Dispose();
        }
    }

    /// <summary>Called by the clock: does what is due, and takes over what another control plane has done.</summary>
    private void Advance()
    {
        var before = _current;
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            try
            {
                var stamp = StatePath is { } path ? FileStamp.Of(path) : null;
                if (stamp != _stamp)
                {
                    Take(Read() ?? _state!);
                    _stamp = stamp;
                }

                if (!ReferenceEquals(Due(_state!), _state))
                {
                    Exclusively(() => Due(Read() ?? _state!));
                }
            }
            catch (Exception e) when (e is AuthorityException or IOException or UnauthorizedAccessException)
            {
                // Once for each reason.
                if (_told != e.Message)
                {
                    _told = e.Message;
                    Log.Kept(_logger, e.Message);
                }
            }
        }

        if (!ReferenceEquals(before, _current))
        {
            Changed?.Invoke();
        }
    }

    /// <summary>The state that the clock asks for; the same object when it asks for nothing.</summary>
    private AuthorityState Due(AuthorityState state)
    {
        var now = _time.GetUtcNow();
        if (state.Next is { } next && now >= state.AnnouncedAt + _options.Announcement)
        {
            state = new AuthorityState
            {
                Active = next,
                Retired = [.. state.Retired, new RetiredRoot(state.Active.Certificate, now + _options.Overlap + _options.Skew)],
            };
        }

        if (state.Retired.Any(root => now >= root.Until))
        {
            state = state with { Retired = [.. state.Retired.Where(root => now < root.Until)] };
        }

        if (state.Next is null)
        {
            var (from, to) = LifeOf(state.Active);
            if (to - now < (to - from) * RenewBelow)
            {
                state = Announce(state);
            }
        }

        return state;
    }

    /// <summary>Asked at every tick of the clock: the certificate in force is read already.</summary>
    private (DateTimeOffset From, DateTimeOffset To) LifeOf(AuthorityRoot root)
    {
        if (_current is { } current && ReferenceEquals(root, _state?.Active))
        {
            return (Issuer.Utc(current.Certificate.NotBefore), Issuer.Utc(current.Certificate.NotAfter));
        }

        using var certificate = X509Certificate2.CreateFromPem(root.Certificate);
        return (Issuer.Utc(certificate.NotBefore), Issuer.Utc(certificate.NotAfter));
    }

    private AuthorityState Announce(AuthorityState state) => state with { Next = NewRoot(), AnnouncedAt = _time.GetUtcNow() };

    private AuthorityState Create()
    {
        Log.Created(_logger, StatePath ?? "memory only: it ends with this process");
        return new AuthorityState { Active = NewRoot() };
    }

    /// <summary>Says what another state means, whichever control plane has brought it about.</summary>
    private void Tell(AuthorityState before, AuthorityState now)
    {
        if (before.Next is { } next && now.Active.Certificate == next.Certificate)
        {
            Log.Promoted(_logger, now.Retired.Count > 0 ? now.Retired[^1].Until : _time.GetUtcNow());
        }

        if (now.Next is not null && now.Next.Certificate != before.Next?.Certificate)
        {
            Log.Announced(_logger, now.AnnouncedAt.GetValueOrDefault() + _options.Announcement);
        }

        if (before.Retired.Any(root => now.Retired.All(kept => kept.Certificate != root.Certificate)))
        {
            Log.Retired(_logger);
        }
    }

    private AuthorityRoot NewRoot()
    {
        var now = _time.GetUtcNow();
        using var key = SigningKey.Create();
        var request = key.NewRequest($"O={_trustDomain()}");
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        using var certificate = request.Create(request.SubjectName, key.NewGenerator(), now - _options.Skew, now + _options.RootLifetime, Issuer.NewSerial());
        return new AuthorityRoot(certificate.ExportCertificatePem(), key.ToPem());
    }

    /// <summary>Changes the state while no other control plane does, and takes it.</summary>
    private Issuer Exclusively(Func<AuthorityState> change)
    {
        if (StatePath is not { } path)
        {
            return Take(change());
        }

        try
        {
            PrivateFiles.CreateFolder(_options.Folder!);
            if (PrivateFiles.ProblemOf(_options.Folder!) is { } problem)
            {
                throw new AuthorityException($"the authority is not kept where others have access: {problem}");
            }

            using var alone = Lock();
            var state = change();
            var text = JsonSerializer.Serialize(state, AuthorityJson.Default.AuthorityState);
            if (!ReferenceEquals(state, _state))
            {
                PrivateFiles.Write(path, text);
                File.WriteAllText(Path.Combine(_options.Folder!, "root-cert.pem"), string.Concat(CertificatesOf(state)));
                _seen = text;
            }

            return Take(state);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AuthorityException($"the authority cannot be kept in {_options.Folder}: {e.Message}; name a folder that this process may write to in Mesh:ControlPlane:CertificateAuthority:Folder", e);
        }
    }

    /// <summary>Held for the moment of a change. A second control plane waits its turn; it has little to do.</summary>
    private FileStream Lock()
    {
        var path = Path.Combine(_options.Folder!, "authority.lock");
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None };
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return new FileStream(path, options);
            }
            catch (IOException) when (attempt < 200)
            {
                // 200 × 10 ms: whoever holds it makes one key and writes two files.
                using var pause = new ManualResetEventSlim();
                pause.Wait(TimeSpan.FromMilliseconds(10));
            }
        }
    }

    /// <summary>What the folder holds; the state in force when that is it, and <see langword="null"/> when there is nothing.</summary>
    private AuthorityState? Read()
    {
        if (StatePath is not { } path || !File.Exists(path))
        {
            return null;
        }

        foreach (var place in (string[])[_options.Folder!, path])
        {
            if (PrivateFiles.ProblemOf(place) is { } problem)
            {
                throw new AuthorityException($"the authority's key may be known to others, and is not used: {problem}; if it was open for long, delete {path} and a new root is made");
            }
        }

        string text;
        try
        {
            text = new FileInfo(path).Length > MaxBytes
                ? throw new AuthorityException($"{path} has more than {MaxBytes} bytes: it is not what a control plane wrote")
                : File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AuthorityException($"{path} cannot be read: {e.Message}", e);
        }

        if (text == _seen && _state is not null)
        {
            return _state;
        }

        try
        {
            var state = JsonSerializer.Deserialize(text, AuthorityJson.Default.AuthorityState) ?? throw new JsonException("it is empty");
            if (state is not { Active: { Certificate: not null, Key: not null }, Retired: not null } || state.Retired.Any(root => root?.Certificate is null) || state.Next is { Certificate: null } or { Key: null })
            {
                throw new JsonException("it lacks a root");
            }

            _ = IssuerOf(state);
            _seen = text;
            return state;
        }
        catch (Exception e) when (e is JsonException or CryptographicException)
        {
            throw new AuthorityException($"{path} cannot be used: {(e is JsonException ? "it is not what a control plane wrote" : e.Message)}; restore it, or delete it and a new root is made", e);
        }
    }

    private Issuer Take(AuthorityState state)
    {
        _timer ??= _time.CreateTimer(_ => Advance(), null, PollInterval, PollInterval);
        if (_current is not null && ReferenceEquals(state, _state))
        {
            return _current;
        }

        var issuer = IssuerOf(state);
        if (_state is { } before)
        {
            Tell(before, state);
        }

        _state = state;
        _current = issuer;
        _told = null;
        return issuer;
    }

    private Issuer IssuerOf(AuthorityState state)
    {
        var certificate = X509Certificate2.CreateFromPem(state.Active.Certificate);
        var key = SigningKey.Read(state.Active.Key);
        if (!key.IsOf(certificate))
        {
            throw new CryptographicException("the key is not that of the certificate");
        }

        if (_time.GetUtcNow() >= Issuer.Utc(certificate.NotAfter))
        {
            throw new CryptographicException($"the root has expired at {Issuer.Utc(certificate.NotAfter):u}");
        }

        return new Issuer(certificate, key, [], [.. CertificatesOf(state).Select(pem => X509Certificate2.CreateFromPem(pem))]);
    }

    private static IEnumerable<string> CertificatesOf(AuthorityState state)
    {
        yield return state.Active.Certificate.TrimEnd() + "\n";
        if (state.Next is { } next)
        {
            yield return next.Certificate.TrimEnd() + "\n";
        }

        foreach (var root in state.Retired)
        {
            yield return root.Certificate.TrimEnd() + "\n";
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3411, LogLevel.Information, "A root was made for the mesh's certificates, kept in {Place}.")]
        public static partial void Created(ILogger logger, string place);

        [LoggerMessage(3412, LogLevel.Information, "A new root is announced: workloads trust it from now on, and it signs from {At:u}.")]
        public static partial void Announced(ILogger logger, DateTimeOffset at);

        [LoggerMessage(3413, LogLevel.Information, "The announced root signs from now on; the one before is trusted until {Until:u}.")]
        public static partial void Promoted(ILogger logger, DateTimeOffset until);

        [LoggerMessage(3414, LogLevel.Information, "A root that no longer signs is no longer trusted.")]
        public static partial void Retired(ILogger logger);

        [LoggerMessage(3415, LogLevel.Error, "The authority cannot be brought up to date; what is known stays in force: {Problem}.")]
        public static partial void Kept(ILogger logger, string problem);
    }
}
