using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Mesh.Xds.Tests.Jwt;

/// <summary>Somebody who issues tokens, honest ones and others.</summary>
internal sealed class TokenIssuer : IDisposable
{
    public TokenIssuer(string keyId = "k1", ECCurve? curve = null)
    {
        KeyId = keyId;
        Rsa = RSA.Create(2048);
        Ec = ECDsa.Create(curve ?? ECCurve.NamedCurves.nistP256);
    }

    public string KeyId { get; }

    public RSA Rsa { get; }

    public ECDsa Ec { get; }

    public static JsonObject Claims(params (string Name, JsonNode? Value)[] more)
    {
        var claims = new JsonObject { ["iss"] = "issuer", ["sub"] = "somebody" };
        foreach (var (name, value) in more)
        {
            claims[name] = value;
        }

        return claims;
    }

    public static string Encode(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    public JsonObject RsaKey(string? algorithm = null)
    {
        var key = Rsa.ExportParameters(false);
        return With(algorithm, new JsonObject { ["kty"] = "RSA", ["kid"] = KeyId, ["n"] = Base64Url.EncodeToString(key.Modulus!), ["e"] = Base64Url.EncodeToString(key.Exponent!) });
    }

    public JsonObject EcKey(string curve = "P-256", string? algorithm = null)
    {
        var key = Ec.ExportParameters(false);
        return With(algorithm, new JsonObject { ["kty"] = "EC", ["kid"] = KeyId, ["crv"] = curve, ["x"] = Base64Url.EncodeToString(key.Q.X!), ["y"] = Base64Url.EncodeToString(key.Q.Y!) });
    }

    public static string KeySet(params JsonNode[] keys) => new JsonObject { ["keys"] = new JsonArray(keys) }.ToJsonString();

    public string Sign(JsonObject claims, string algorithm = "RS256", Action<JsonObject>? header = null) => SignText(claims.ToJsonString(), algorithm, header);

    public string SignText(string payload, string algorithm = "RS256", Action<JsonObject>? header = null)
    {
        var head = new JsonObject { ["alg"] = algorithm, ["kid"] = KeyId };
        header?.Invoke(head);
        var signed = Encode(head.ToJsonString()) + "." + Encode(payload);
        return signed + "." + Base64Url.EncodeToString(Signature(Encoding.ASCII.GetBytes(signed), algorithm));
    }

    public void Dispose()
    {
        Rsa.Dispose();
        Ec.Dispose();
    }

    private static JsonObject With(string? algorithm, JsonObject key)
    {
        if (algorithm is not null)
        {
            key["alg"] = algorithm;
        }

        return key;
    }

    private byte[] Signature(byte[] data, string algorithm)
    {
        var hash = algorithm[^3..] switch
        {
            "384" => HashAlgorithmName.SHA384,
            "512" => HashAlgorithmName.SHA512,
            _ => HashAlgorithmName.SHA256,
        };
        return algorithm[0] switch
        {
            'R' => Rsa.SignData(data, hash, RSASignaturePadding.Pkcs1),
            'P' => Rsa.SignData(data, hash, RSASignaturePadding.Pss),
            'E' when algorithm != "EdDSA" => Ec.SignData(data, hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation),

            // The well-known confusion: the public key, as everybody can read it, as the secret of an HMAC.
            'H' => HMACSHA256.HashData(Encoding.ASCII.GetBytes(Rsa.ExportSubjectPublicKeyInfoPem()), data),
            _ => RandomNumberGenerator.GetBytes(64),
        };
    }
}
