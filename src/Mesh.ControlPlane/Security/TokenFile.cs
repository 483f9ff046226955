using System.Security.Cryptography;
using System.Text;

namespace Mesh.ControlPlane.Security;

/// <summary>A file that holds one secret token. It is read again when it changes; one that others can read, or that is gone, holds no token.</summary>
internal sealed class TokenFile(string path)
{
    /// <summary>128 bits in base64, or as many characters by chance.</summary>
    private const int MinLength = 16;

    private const int MaxBytes = 16 * 1024;

    private readonly Lock _gate = new();
    private FileStamp? _seen;
    private byte[]? _hash;

    public string Path { get; } = path;

    /// <summary>Why the file cannot be used now; <see langword="null"/> when it can.</summary>
    public string? Problem
    {
        get
        {
            lock (_gate)
            {
                _seen = null;
                return Refresh();
            }
        }
    }

    /// <summary>Whether a token is this file's. It takes the same time whatever the token is.</summary>
    /// <param name="tokenHash">The SHA-256 of the token.</param>
    public bool Holds(ReadOnlySpan<byte> tokenHash)
    {
        lock (_gate)
        {
            Refresh();
            return CryptographicOperations.FixedTimeEquals(tokenHash, _hash ?? []);
        }
    }

    public static byte[] HashOf(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));

    private string? Refresh()
    {
        try
        {
            var seen = FileStamp.Of(Path);
            if (_seen == seen && _hash is not null)
            {
                return null;
            }

            _hash = null;
            _seen = seen;
            if (seen is not { } file)
            {
                return $"the token file {Path} does not exist";
            }

            if (PrivateFiles.ProblemOf(Path) is { } open)
            {
                return $"the token file {open}";
            }

            if (file.Length > MaxBytes)
            {
                return $"the token file {Path} has more than {MaxBytes} bytes";
            }

            var token = File.ReadAllText(Path).Trim();
            if (token.Length < MinLength || token.AsSpan().ContainsAnyExceptInRange('!', '~'))
            {
                return $"the token file {Path} must hold one line of {MinLength} or more printable characters without spaces, made by chance (for example by: openssl rand -hex 32)";
            }

            _hash = HashOf(token);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _hash = null;
            return $"the token file {Path} cannot be read: {e.Message}";
        }
    }
}
