using System.CommandLine;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Mesh.Cli.Servers;

/// <summary>What a server is shown, and whom it is believed by.</summary>
internal sealed class ServerAccess
{
    private X509Certificate2Collection? _roots;
    private X509Certificate2? _certificate;

    public static ServerAccess None { get; } = new();

    /// <summary>A token; <see langword="null"/>: none.</summary>
    public string? Token { get; private init; }

    /// <exception cref="CommandException">A file that is named cannot be used.</exception>
    public static ServerAccess Of(ParseResult arguments, CommonOptions options, CliEnvironment environment)
    {
        var tokenFile = arguments.GetValue(options.TokenFile) ?? environment.Variable("MESHCTL_TOKEN_FILE");
        var (certificate, key) = (arguments.GetValue(options.CertFile), arguments.GetValue(options.KeyFile));
        if (certificate is null != key is null)
        {
            throw new CommandException("--cert-file and --key-file belong together: name both", ExitCodes.Usage);
        }

        return new ServerAccess
        {
            Token = tokenFile is { Length: > 0 } ? Read(tokenFile, "the token").Trim() : environment.Variable("MESHCTL_TOKEN") is { Length: > 0 } token ? token.Trim() : null,
            _roots = arguments.GetValue(options.CaFile) is { } roots ? RootsOf(roots) : null,
            _certificate = certificate is null ? null : CertificateOf(certificate, key!),
        };
    }

    public SocketsHttpHandler NewHandler()
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false, AutomaticDecompression = DecompressionMethods.None, MaxResponseHeadersLength = 64 };
        if (_certificate is not null)
        {
            handler.SslOptions.ClientCertificates = [_certificate];
            handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => _certificate;
        }

        if (_roots is not null)
        {
            handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
            handler.SslOptions.CertificateChainPolicy.CustomTrustStore.AddRange(_roots);
        }

        return handler;
    }

    private static X509Certificate2Collection RootsOf(string file)
    {
        var roots = new X509Certificate2Collection();
        try
        {
            roots.ImportFromPem(Read(file, "the roots"));
        }
        catch (CryptographicException e)
        {
            throw new CommandException($"--ca-file {file} holds no certificates in PEM: {e.Message}");
        }

        return roots.Count > 0 ? roots : throw new CommandException($"--ca-file {file} holds no certificates in PEM");
    }

    private static X509Certificate2 CertificateOf(string certificate, string key)
    {
        try
        {
            return X509Certificate2.CreateFromPem(Read(certificate, "the certificate"), Read(key, "its key"));
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new CommandException($"--cert-file {certificate} and --key-file {key} are no certificate with its key in PEM");
        }
    }

    private static string Read(string file, string what)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"{what} cannot be read: {e.Message}");
        }
    }
}
