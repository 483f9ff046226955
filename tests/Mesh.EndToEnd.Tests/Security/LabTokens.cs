using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Mesh.EndToEnd.Tests.Security;

/// <summary>Tokens signed as the labs sign them: RS256, and a key set that says no more than it must.</summary>
internal static class LabTokens
{
    public static Key CreateKey() => new(RSA.Create(2048));

    internal sealed record Key(RSA Rsa)
    {
        public string Jwks
        {
            get
            {
                var parameters = Rsa.ExportParameters(includePrivateParameters: false);
                return $$"""{"keys":[{"n":"{{Base64Url.EncodeToString(parameters.Modulus)}}","e":"{{Base64Url.EncodeToString(parameters.Exponent)}}","kty":"RSA"}]}""";
            }
        }

        public string Sign(string claims)
        {
            var signed = $"{Base64Url.EncodeToString("""{"alg":"RS256"}"""u8)}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}";
            return $"{signed}.{Base64Url.EncodeToString(Rsa.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))}";
        }
    }
}
