using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;

namespace Mesh.Xds.Jwt;

/// <summary>
/// The public keys of an issuer (RFC 7517), or, as Envoy takes them too, certificates by their ids. Keys that cannot verify a token here (symmetric
/// ones, Ed25519, keys for encryption, weak ones) are left out; a set without any other is refused.
/// </summary>
internal sealed class JsonWebKeySet
{
    private const int MaxBytes = 1024 * 1024;
    private const int MaxKeys = 1000;
    private const int MinRsaBits = 2048;
    private const int MaxRsaBits = 8192;

    private readonly JsonWebKey[] _keys;

    private JsonWebKeySet(JsonWebKey[] keys) => _keys = keys;

    public int Count => _keys.Length;

    public IReadOnlyList<JsonWebKey> Keys => _keys;

    public static JwtStatus Parse(ReadOnlyMemory<byte> json, out JsonWebKeySet? keys)
    {
        keys = null;
        if (json.Length > MaxBytes || !JwtJson.TryParseObject(json, out var set))
        {
            return JwtStatus.KeysBadJson;
        }

        List<JsonWebKey> found;
        if (!set.TryGetProperty("keys", out var list))
        {
            if (!IsCertificates(set))
            {
                return JwtStatus.KeysMissing;
            }

            found = [.. set.EnumerateObject().Take(MaxKeys).Select(OfCertificate).OfType<JsonWebKey>()];
        }
        else if (list.ValueKind != JsonValueKind.Array)
        {
            return JwtStatus.KeysNoArray;
        }
        else
        {
            found = [.. list.EnumerateArray().Take(MaxKeys).Select(Of).OfType<JsonWebKey>()];
        }

        if (found.Count == 0)
        {
            return JwtStatus.NoValidKeys;
        }

        keys = new JsonWebKeySet([.. found]);
        return JwtStatus.Ok;
    }

    public static JwtStatus Parse(string json, out JsonWebKeySet? keys) => Parse(Encoding.UTF8.GetBytes(json), out keys);

    /// <summary>Whether one of the keys has signed the token. Only the configured keys count: what the token says of keys is not looked at.</summary>
    public JwtStatus Verify(CompactJwt token)
    {
        var status = JwtStatus.KidAlgMismatch;
        byte[]? signed = null;
        foreach (var key in _keys)
        {
            if ((token.KeyId.Length > 0 && key.Id.Length > 0 && key.Id != token.KeyId)
                || (key.Algorithm.Length > 0 && key.Algorithm != token.Algorithm)
                || token.Algorithm == "EdDSA")
            {
                continue;
            }

            status = JwtStatus.VerificationFails;
            if (key.Verifies(token.Algorithm, signed ??= token.SignedBytes(), token.Signature))
            {
                return JwtStatus.Ok;
            }
        }

        return status;
    }

    private static bool IsCertificates(JsonElement set)
        => set.EnumerateObject().Any() && set.EnumerateObject().All(p => p.Name.Length > 0 && p.Value.ValueKind == JsonValueKind.String);

    private static JsonWebKey? Of(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object
            || !JwtJson.TryGetString(json, "kty", out var type)
            || !JwtJson.TryGetString(json, "kid", out var id)
            || !JwtJson.TryGetString(json, "alg", out var algorithm)
            || !JwtJson.TryGetString(json, "use", out var use)
            || use is not (null or "sig"))
        {
            return null;
        }

        try
        {
            return type switch
            {
                "RSA" => OfRsa(json, id ?? "", algorithm ?? ""),
                "EC" => OfEc(json, id ?? "", algorithm ?? ""),
                _ => null,
            };
        }
        catch (CryptographicException)
        {
            // A point that is not on its curve, a modulus that is none.
            return null;
        }
    }

    private static JsonWebKey.Rsa? OfRsa(JsonElement json, string id, string algorithm)
    {
        if (algorithm is not ("" or "RS256" or "RS384" or "RS512" or "PS256" or "PS384" or "PS512")
            || !TryGetBytes(json, "n", out var modulus)
            || !TryGetBytes(json, "e", out var exponent))
        {
            return null;
        }

        // Envoy takes these exponents; a large one makes each verification as dear as its sender likes.
        modulus = modulus.AsSpan().TrimStart((byte)0).ToArray();
        var bits = modulus.Length * 8;
        if (bits is < MinRsaBits or > MaxRsaBits || !(exponent is [3] || exponent is [1, 0, 1]))
        {
            return null;
        }

        var parameters = new RSAParameters { Modulus = modulus, Exponent = exponent };
        using (RSA.Create(parameters))
        {
            return new JsonWebKey.Rsa(id, algorithm, parameters);
        }
    }

    private static JsonWebKey.Ec? OfEc(JsonElement json, string id, string algorithm)
    {
        if (!JwtJson.TryGetString(json, "crv", out var name))
        {
            return null;
        }

        var own = (algorithm, name) switch
        {
            ("" or "ES256", "P-256") or ("" or "ES256", null) => "ES256",
            ("" or "ES384", "P-384") or ("ES384", null) => "ES384",
            ("" or "ES512", "P-521") or ("ES512", null) => "ES512",
            _ => null,
        };
        var (curve, length) = own switch
        {
            "ES256" => (ECCurve.NamedCurves.nistP256, 32),
            "ES384" => (ECCurve.NamedCurves.nistP384, 48),
            _ => (ECCurve.NamedCurves.nistP521, 66),
        };
        if (own is null || !TryGetBytes(json, "x", out var x) || !TryGetBytes(json, "y", out var y) || x.Length != length || y.Length != length)
        {
            return null;
        }

        var parameters = new ECParameters { Curve = curve, Q = new ECPoint { X = x, Y = y } };
        using (ECDsa.Create(parameters))
        {
            return new JsonWebKey.Ec(id, algorithm, own, parameters);
        }
    }

    private static JsonWebKey? OfCertificate(JsonProperty entry)
    {
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(entry.Value.GetString());
            if (certificate.GetRSAPublicKey() is not { } rsa)
            {
                return null;
            }

            using (rsa)
            {
                return rsa.KeySize is < MinRsaBits or > MaxRsaBits ? null : new JsonWebKey.Rsa(entry.Name, "", rsa.ExportParameters(false));
            }
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static bool TryGetBytes(JsonElement json, string name, out byte[] bytes)
    {
        bytes = [];
        return JwtJson.TryGetString(json, name, out var text) && text is { Length: > 0 } && StrictBase64Url.TryDecode(text, out bytes);
    }
}
