using System.Security.Cryptography;

namespace Mesh.DataPlane.Dns;

/// <summary>Chance that nobody can foretell: whoever guesses a transaction's id can answer in the server's place.</summary>
internal sealed class CryptoRandomSource : IRandomSource
{
    public static CryptoRandomSource Instance { get; } = new();

    public ulong NextUInt64()
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        RandomNumberGenerator.Fill(bytes);
        return BitConverter.ToUInt64(bytes);
    }
}
