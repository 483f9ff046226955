using System.Buffers.Binary;

namespace Mesh.DataPlane.LoadBalancing.Hashing;

/// <summary>64-bit MurmurHash2 as <c>std::hash&lt;std::string&gt;</c> of libstdc++ computes it, which is Envoy's <c>MURMUR_HASH_2</c>.</summary>
internal static class MurmurHash2
{
    private const ulong StandardSeed = 0xC70F6907;
    private const ulong Multiplier = 0xC6A4A7935BD1E995;

    public static ulong Hash(ReadOnlySpan<byte> data, ulong seed = StandardSeed)
    {
        var hash = seed ^ ((ulong)data.Length * Multiplier);
        while (data.Length >= 8)
        {
            hash = (hash ^ (Fold(BinaryPrimitives.ReadUInt64LittleEndian(data) * Multiplier) * Multiplier)) * Multiplier;
            data = data[8..];
        }

        if (!data.IsEmpty)
        {
            var rest = 0UL;
            for (var i = data.Length - 1; i >= 0; i--)
            {
                rest = (rest << 8) | data[i];
            }

            hash = (hash ^ rest) * Multiplier;
        }

        return Fold(Fold(hash) * Multiplier);
    }

    private static ulong Fold(ulong value) => value ^ (value >> 47);
}
