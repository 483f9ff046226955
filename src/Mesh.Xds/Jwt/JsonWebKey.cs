using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Mesh.Xds.Jwt;

/// <summary>A public key of a key set, bound to the algorithms that it may verify.</summary>
/// <param name="id">Its <c>kid</c>; empty when it has none.</param>
/// <param name="algorithm">Its <c>alg</c>; empty when any of its type will do.</param>
internal abstract class JsonWebKey(string id, string algorithm)
{
    public string Id { get; } = id;

    public string Algorithm { get; } = algorithm;

    /// <summary>Whether the token's signature is this key's over the token's own bytes.</summary>
    public abstract bool Verifies(string algorithm, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature);

    /// <summary>The hash of an algorithm of RFC 7518.</summary>
    protected static HashAlgorithmName HashOf(string algorithm) => algorithm[2..] switch
    {
        "256" => HashAlgorithmName.SHA256,
        "384" => HashAlgorithmName.SHA384,
        _ => HashAlgorithmName.SHA512,
    };

    internal sealed class Rsa(string id, string algorithm, RSAParameters parameters) : JsonWebKey(id, algorithm)
    {
        private readonly KeyPool<RSA> _keys = new(() => RSA.Create(parameters));

        public override bool Verifies(string algorithm, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
        {
            var padding = algorithm[0] switch
            {
                'R' => RSASignaturePadding.Pkcs1,
                'P' => RSASignaturePadding.Pss,
                _ => null,
            };
            if (padding is null)
            {
                return false;
            }

            var key = _keys.Rent();
            try
            {
                return key.VerifyData(data, signature, HashOf(algorithm), padding);
            }
            catch (CryptographicException)
            {
                return false;
            }
            finally
            {
                _keys.Return(key);
            }
        }
    }

    internal sealed class Ec(string id, string algorithm, string own, ECParameters parameters) : JsonWebKey(id, algorithm)
    {
        private readonly KeyPool<ECDsa> _keys = new(() => ECDsa.Create(parameters));

        public override bool Verifies(string algorithm, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
        {
            // A curve has one algorithm, and with it one hash and one length.
            if (algorithm != own)
            {
                return false;
            }

            var key = _keys.Rent();
            try
            {
                return key.VerifyData(data, signature, HashOf(algorithm), DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
            }
            catch (CryptographicException)
            {
                return false;
            }
            finally
            {
                _keys.Return(key);
            }
        }
    }

    // The framework does not say that one object may verify on several threads at once.
    private sealed class KeyPool<T>(Func<T> create)
        where T : AsymmetricAlgorithm
    {
        private readonly ConcurrentBag<T> _idle = [];

        public T Rent() => _idle.TryTake(out var key) ? key : create();

        public void Return(T key) => _idle.Add(key);
    }
}
