using System.Security.Cryptography;

namespace Mesh.Xds.Serving;

/// <summary>Versions that survive a restart of the control plane: equal bytes, equal version.</summary>
internal static class ContentHash
{
    public static string Of(ReadOnlySpan<byte> bytes)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, hash);
        return Convert.ToHexStringLower(hash[..8]);
    }
}
