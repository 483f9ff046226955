using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;

namespace Mesh.Client.DefaultProxy;

/// <summary>What this process shows to its own proxy, and nobody else knows: other processes reach a port on loopback as well.</summary>
internal sealed class ProxyToken
{
    public const string User = "mesh";

    private const int Bytes = 32;

    private readonly byte[] _basic;
    private readonly byte[] _secret;

    public ProxyToken()
    {
        Secret = Convert.ToHexString(RandomNumberGenerator.GetBytes(Bytes));
        _secret = Encoding.ASCII.GetBytes(Secret);
        _basic = Encoding.ASCII.GetBytes(Convert.ToBase64String(Encoding.ASCII.GetBytes($"{User}:{Secret}")));
    }

    public string Secret { get; }

    /// <summary>A <c>Proxy-Authorization</c> field.</summary>
    public bool IsShownBy(string? authorization)
        => AuthenticationHeaderValue.TryParse(authorization, out var value)
            && value.Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase)
            && CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(value.Parameter ?? ""), _basic);

    /// <summary>The name and password of SOCKS (RFC 1929).</summary>
    public bool IsShownBy(ReadOnlySpan<byte> user, ReadOnlySpan<byte> password)
        => user.SequenceEqual("mesh"u8) & CryptographicOperations.FixedTimeEquals(password, _secret);

    /// <summary>Secrets are not for logs.</summary>
    public override string ToString() => User;
}
