using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace Mesh.ControlPlane.Security;

/// <summary>
/// An authority that was given: the files of Istio's secret <c>cacerts</c>. They are read again when they change; files that cannot be used leave the
/// last good ones in force.
/// </summary>
internal sealed partial class CaCertsFolder : IIssuerSource
{
    private const int MaxBytes = 1 << 20;
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(10);

    private readonly string _folder;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private string? _seen;
    private volatile Issuer? _current;
    private ITimer? _timer;

    public CaCertsFolder(string folder, TimeProvider time, ILogger logger)
    {
        _folder = folder;
        _time = time;
        _logger = logger;
    }

    public event Action? Changed;

    public Issuer Current => _current ?? Load();

    public RootRotation Rotation => _current is { Roots.Count: > 1 } ? RootRotation.Overlap : RootRotation.None;

    public void BeginRotation()
        => throw new InvalidOperationException($"the roots are those of {_folder}: put the new root beside the old one in root-cert.pem, then replace ca-cert.pem and ca-key.pem");

    public void Start()
    {
        Load();
        if (PrivateFiles.ProblemOf(PathOf("ca-key.pem")) is { } problem)
        {
            // Mounted secrets are 0644 as a rule, in containers of one user.
            Log.OpenKey(_logger, problem);
        }
    }

    public void Dispose() => _timer?.Dispose();

    private Issuer Load()
    {
        lock (_gate)
        {
            if (_current is not null)
            {
                return _current;
            }

            var files = ReadFiles();
            var issuer = Parse(files);
            _seen = HashOf(files);
            _current = issuer;
            _timer = _time.CreateTimer(_ => Reload(), null, PollInterval, PollInterval);
            return issuer;
        }
    }

    /// <summary>Called by the clock.</summary>
    private void Reload()
    {
        lock (_gate)
        {
            Issuer? issuer = null;
            string problem;
            string state;
            Dictionary<string, string?>? files = null;
            try
            {
                files = ReadFiles();
                (state, problem) = (HashOf(files), "");
            }
            catch (AuthorityException e)
            {
                (state, problem) = (e.Message, e.Message);
            }

            // Told once for each state of the files.
            if (state == _seen)
            {
                return;
            }

            _seen = state;
            try
            {
                issuer = files is null ? null : Parse(files);
            }
            catch (AuthorityException e)
            {
                problem = e.Message;
            }

            if (issuer is null)
            {
                Log.Kept(_logger, problem);
                return;
            }

            var kept = _current!.Roots.All(old => issuer.Roots.Any(root => root.RawDataMemory.Span.SequenceEqual(old.RawDataMemory.Span)));
            _current = issuer;
            Log.Replaced(_logger, _folder, issuer.Certificate.Subject, issuer.Roots.Count);
            if (!kept)
            {
                Log.RootRemoved(_logger, _folder);
            }
        }

        Changed?.Invoke();
    }

    private string PathOf(string file) => Path.Combine(_folder, file);

    private Dictionary<string, string?> ReadFiles()
    {
        var files = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (var file in (string[])["ca-cert.pem", "ca-key.pem", "root-cert.pem", "cert-chain.pem"])
        {
            var path = PathOf(file);
            try
            {
                if (new FileInfo(path) is { Exists: true, Length: > MaxBytes })
                {
                    throw new AuthorityException($"{path} has more than {MaxBytes} bytes, which no certificate or key has");
                }

                files[file] = File.ReadAllText(path);
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                files[file] = file == "cert-chain.pem" ? null : throw new AuthorityException($"{path} does not exist; a folder of an authority holds ca-cert.pem, ca-key.pem, root-cert.pem and, for an intermediate, cert-chain.pem");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new AuthorityException($"{path} cannot be read: {e.Message}", e);
            }
        }

        return files;
    }

    private Issuer Parse(Dictionary<string, string?> files)
    {
        var now = _time.GetUtcNow();
        var certificates = Certificates("ca-cert.pem", files["ca-cert.pem"]!);
        var roots = Certificates("root-cert.pem", files["root-cert.pem"]!);
        var chain = files["cert-chain.pem"] is { } text && !string.IsNullOrWhiteSpace(text) ? Certificates("cert-chain.pem", text) : [];
        var certificate = certificates[0];
        SigningKey key;
        try
        {
            key = SigningKey.Read(files["ca-key.pem"]!);
        }
        catch (CryptographicException e)
        {
            throw new AuthorityException($"{PathOf("ca-key.pem")} cannot be used: {e.Message}", e);
        }

        try
        {
            // 1. The pair.
            if (!key.IsOf(certificate))
            {
                throw new AuthorityException($"{PathOf("ca-key.pem")} is not the key of the certificate in {PathOf("ca-cert.pem")}; put a pair there that belongs together");
            }

            if (certificate.Extensions.OfType<X509BasicConstraintsExtension>().FirstOrDefault() is not { CertificateAuthority: true })
            {
                throw new AuthorityException($"the certificate in {PathOf("ca-cert.pem")} is not that of an authority (CA:TRUE): workloads would refuse what it signs");
            }

            // 2. Times.
            CheckTime("ca-cert.pem", certificate, now);
            foreach (var root in roots)
            {
                CheckTime("root-cert.pem", root, now);
            }

            // 3. The way to a root. Workloads show everything below the root.
            X509Certificate2[] below = [.. certificates.Concat(chain)
                .Where(c => !roots.Any(root => root.RawDataMemory.Span.SequenceEqual(c.RawDataMemory.Span)))
                .DistinctBy(c => c.Thumbprint)];
            if (!CertificateChains.LeadsTo(certificate, below, roots, now, out var problem))
            {
                throw new AuthorityException($"no root in {PathOf("root-cert.pem")} vouches for the certificate in {PathOf("ca-cert.pem")} ({problem}); put the intermediates between them into {PathOf("cert-chain.pem")}");
            }

            return new Issuer(certificate, key, below, roots);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    private List<X509Certificate2> Certificates(string file, string pem)
    {
        var found = new X509Certificate2Collection();
        try
        {
            found.ImportFromPem(pem);
        }
        catch (CryptographicException e)
        {
            throw new AuthorityException($"{PathOf(file)} holds a certificate that cannot be read: {e.Message}", e);
        }

        return found.Count > 0 ? [.. found] : throw new AuthorityException($"{PathOf(file)} holds no certificate in PEM");
    }

    private void CheckTime(string file, X509Certificate2 certificate, DateTimeOffset now)
    {
        if (now >= Issuer.Utc(certificate.NotAfter))
        {
            throw new AuthorityException($"the certificate of {certificate.Subject} in {PathOf(file)} has expired at {Issuer.Utc(certificate.NotAfter):u}; put one there that is valid");
        }

        if (now < Issuer.Utc(certificate.NotBefore))
        {
            throw new AuthorityException($"the certificate of {certificate.Subject} in {PathOf(file)} is not valid before {Issuer.Utc(certificate.NotBefore):u}; compare the clocks");
        }
    }

    private static string HashOf(Dictionary<string, string?> files)
        => Convert.ToHexString(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(string.Join('\0', files.OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => f.Value ?? "\u0001")))));

    private static partial class Log
    {
        [LoggerMessage(3401, LogLevel.Warning, "The authority's key: {Problem}. Whoever reads it can be any workload.")]
        public static partial void OpenKey(ILogger logger, string problem);

        [LoggerMessage(3402, LogLevel.Information, "The authority in {Folder} was replaced: {Subject} signs, {Roots} roots are trusted.")]
        public static partial void Replaced(ILogger logger, string folder, string subject, int roots);

        [LoggerMessage(3403, LogLevel.Warning, "A root that was trusted is no longer in {Folder}: workloads whose certificates it vouches for are refused until they renew.")]
        public static partial void RootRemoved(ILogger logger, string folder);

        [LoggerMessage(3404, LogLevel.Error, "The authority's files changed and cannot be used; the last good ones stay in force: {Problem}.")]
        public static partial void Kept(ILogger logger, string problem);
    }
}
