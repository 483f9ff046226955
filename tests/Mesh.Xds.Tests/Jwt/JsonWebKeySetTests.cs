using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Mesh.Xds.Jwt;

namespace Mesh.Xds.Tests.Jwt;

public sealed class JsonWebKeySetTests : IDisposable
{
    private readonly TokenIssuer _issuer = new();

    public void Dispose() => _issuer.Dispose();

    [Theory]
    [InlineData("RS256")]
    [InlineData("RS384")]
    [InlineData("RS512")]
    [InlineData("PS256")]
    [InlineData("PS384")]
    [InlineData("PS512")]
    public void Verifies_what_an_RSA_key_has_signed(string algorithm)
    {
        Verify(_issuer.Sign(TokenIssuer.Claims(), algorithm), _issuer.RsaKey()).ShouldBe(JwtStatus.Ok);
        Verify(_issuer.Sign(TokenIssuer.Claims(), algorithm), _issuer.RsaKey(algorithm)).ShouldBe(JwtStatus.Ok);
        Verify(Forged(_issuer.Sign(TokenIssuer.Claims(), algorithm)), _issuer.RsaKey()).ShouldBe(JwtStatus.VerificationFails);
    }

    [Theory]
    [InlineData("ES256", "P-256")]
    [InlineData("ES384", "P-384")]
    [InlineData("ES512", "P-521")]
    public void Verifies_what_an_elliptic_key_has_signed(string algorithm, string curve)
    {
        using var issuer = new TokenIssuer(curve: ECCurve.CreateFromFriendlyName(curve switch { "P-256" => "nistP256", "P-384" => "nistP384", _ => "nistP521" }));
        Verify(issuer.Sign(TokenIssuer.Claims(), algorithm), issuer.EcKey(curve)).ShouldBe(JwtStatus.Ok);
        Verify(Forged(issuer.Sign(TokenIssuer.Claims(), algorithm)), issuer.EcKey(curve)).ShouldBe(JwtStatus.VerificationFails);
    }

    // RFC 7515, appendix A.2 and A.3: the examples as they are printed.
    [Theory]
    [InlineData(
        """{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}""",
        "eyJhbGciOiJSUzI1NiJ9",
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw")]
    [InlineData(
        """{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}""",
        "eyJhbGciOiJFUzI1NiJ9",
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q")]
    public void Verifies_the_examples_of_RFC_7515(string key, string header, string signature)
    {
        const string payload = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        CompactJwt.Parse($"{header}.{payload}.{signature}", out var token).ShouldBe(JwtStatus.Ok);
        token!.Issuer.ShouldBe("joe");
        token.Expires.ShouldBe(1300819380UL);
        JsonWebKeySet.Parse(TokenIssuer.KeySet(JsonNode.Parse(key)!), out var keys).ShouldBe(JwtStatus.Ok);

        keys!.Verify(token).ShouldBe(JwtStatus.Ok);
    }

    // RFC 7515, appendix A.4: its payload is no claims set, but its signature is ES512's.
    [Fact]
    public void Verifies_the_ES512_signature_of_RFC_7515()
    {
        const string key = """{"kty":"EC","crv":"P-521","x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk","y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"}""";
        var json = JsonNode.Parse(key)!;
        var parameters = new ECParameters { Curve = ECCurve.NamedCurves.nistP521, Q = new ECPoint { X = Bytes(json, "x"), Y = Bytes(json, "y") } };
        StrictBase64Url.TryDecode("AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn", out var signature).ShouldBeTrue();

        new JsonWebKey.Ec("", "", "ES512", parameters).Verifies("ES512", "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA"u8, signature).ShouldBeTrue();
        new JsonWebKey.Ec("", "", "ES512", parameters).Verifies("ES512", "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZB"u8, signature).ShouldBeFalse();
    }

    // RFC 7520, sections 4.1 to 4.3: the payload is a sentence and no claims set, the signatures are what counts.
    [Theory]
    [InlineData(
        "RS256",
        """{"kty":"RSA","kid":"bilbo.baggins@hobbiton.example","use":"sig","n":"N","e":"AQAB"}""",
        "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9",
        "MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg")]
    [InlineData(
        "PS384",
        """{"kty":"RSA","kid":"bilbo.baggins@hobbiton.example","use":"sig","n":"N","e":"AQAB"}""",
        "eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9",
        "cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8TTB5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw")]
    [InlineData(
        "ES512",
        """{"kty":"EC","kid":"bilbo.baggins@hobbiton.example","use":"sig","crv":"P-521","x":"AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt","y":"AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1"}""",
        "eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9",
        "AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-JZGYNlaAjP2kqaluUIIUnC9qvbu9Plon7KRTzoNEuT4Va2cmL1eJAQy3mtPBu_u_sDDyYjnAMDxXPn7XrT0lw-kvAD890jl8e2puQens_IEKBpHABlsbEPX6sFY8OcGDqoRuBomu9xQ2")]
    public void Verifies_the_signatures_of_RFC_7520(string algorithm, string key, string header, string signature)
    {
        const string modulus = "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw";
        const string payload = "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4";
        JsonWebKeySet.Parse(TokenIssuer.KeySet(JsonNode.Parse(key.Replace("\"N\"", $"\"{modulus}\"", StringComparison.Ordinal))!), out var keys).ShouldBe(JwtStatus.Ok);
        StrictBase64Url.TryDecode(signature, out var bytes).ShouldBeTrue();

        var found = keys!.Keys.ShouldHaveSingleItem();

        found.Verifies(algorithm, Encoding.ASCII.GetBytes($"{header}.{payload}"), bytes).ShouldBeTrue();
        found.Verifies(algorithm, Encoding.ASCII.GetBytes($"{header}.{payload}A"), bytes).ShouldBeFalse();
        CompactJwt.Parse($"{header}.{payload}.{signature}", out _).ShouldBe(JwtStatus.PayloadBadJson);
    }

    [Fact]
    public void A_token_that_names_a_key_is_verified_by_no_other()
    {
        using var other = new TokenIssuer("k2");
        var keys = new JsonNode[] { _issuer.RsaKey(), other.RsaKey() };

        Verify(_issuer.Sign(TokenIssuer.Claims()), keys).ShouldBe(JwtStatus.Ok);
        Verify(_issuer.Sign(TokenIssuer.Claims(), header: h => h["kid"] = "k2"), _issuer.RsaKey(), other.RsaKey()).ShouldBe(JwtStatus.VerificationFails);
        Verify(_issuer.Sign(TokenIssuer.Claims(), header: h => h["kid"] = "k3"), _issuer.RsaKey(), other.RsaKey()).ShouldBe(JwtStatus.KidAlgMismatch);
    }

    [Fact]
    public void A_token_that_names_no_key_is_tried_with_each()
    {
        using var other = new TokenIssuer("k2");
        Verify(other.Sign(TokenIssuer.Claims(), header: h => h.Remove("kid")), _issuer.RsaKey(), other.RsaKey()).ShouldBe(JwtStatus.Ok);
    }

    [Fact]
    public void A_key_that_is_for_another_algorithm_does_not_count()
        => Verify(_issuer.Sign(TokenIssuer.Claims(), "RS512"), _issuer.RsaKey("RS256")).ShouldBe(JwtStatus.KidAlgMismatch);

    [Fact]
    public void The_public_key_is_never_the_secret_of_an_HMAC()
    {
        Verify(_issuer.Sign(TokenIssuer.Claims(), "HS256"), _issuer.RsaKey()).ShouldBe(JwtStatus.VerificationFails);
        Verify(_issuer.Sign(TokenIssuer.Claims(), "HS256"), _issuer.RsaKey("RS256")).ShouldBe(JwtStatus.KidAlgMismatch);
    }

    [Fact]
    public void Symmetric_and_Ed25519_keys_are_left_out()
    {
        var keys = TokenIssuer.KeySet(
            new JsonObject { ["kty"] = "oct", ["k"] = TokenIssuer.Encode("secret") },
            new JsonObject { ["kty"] = "OKP", ["crv"] = "Ed25519", ["x"] = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
        JsonWebKeySet.Parse(keys, out _).ShouldBe(JwtStatus.NoValidKeys);
        Verify(_issuer.Sign(TokenIssuer.Claims(), "EdDSA"), _issuer.RsaKey()).ShouldBe(JwtStatus.KidAlgMismatch);
    }

    [Fact]
    public void What_a_token_says_of_keys_is_not_looked_at()
    {
        using var attacker = new TokenIssuer("k1");
        foreach (var (name, value) in new (string, Func<JsonNode>)[]
        {
            ("jwk", () => attacker.RsaKey()),
            ("jku", () => "https://attacker.example/keys"),
            ("x5u", () => "https://attacker.example/certificate"),
            ("x5c", () => new JsonArray("MIIB")),
        })
        {
            Verify(attacker.Sign(TokenIssuer.Claims(), header: h => h[name] = value()), _issuer.RsaKey()).ShouldBe(JwtStatus.VerificationFails, name);
        }
    }

    [Theory]
    [InlineData("[]", "Jwks is an invalid JSON")]
    [InlineData("{", "Jwks is an invalid JSON")]
    [InlineData("{}", "Jwks does not have [keys] field")]
    [InlineData("""{"keys":{}}""", "[keys] in Jwks is not an array")]
    [InlineData("""{"keys":[]}""", "Jwks doesn't have any valid public key")]
    [InlineData("""{"keys":["text",7,{"kty":5},{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"}]}""", "Jwks doesn't have any valid public key")]
    [InlineData("""{"keys":[],"keys":[]}""", "Jwks is an invalid JSON")]
    public void A_bad_set_is_refused(string json, string text) => JsonWebKeySet.Parse(json, out _).Text.ShouldBe(text);

    [Fact]
    public void Weak_keys_huge_exponents_points_off_the_curve_and_keys_for_encryption_are_left_out()
    {
        using var weak = RSA.Create(1024);
        var parameters = weak.ExportParameters(false);
        var huge = _issuer.RsaKey();
        huge["e"] = TokenIssuer.Encode(new string('x', 256));
        var off = _issuer.EcKey();
        off["x"] = off["y"]!.GetValue<string>();
        var encryption = _issuer.RsaKey();
        encryption["use"] = "enc";
        JsonNode[] bad =
        [
            new JsonObject
            {
                ["kty"] = "RSA",
                ["n"] = System.Buffers.Text.Base64Url.EncodeToString(parameters.Modulus!),
                ["e"] = System.Buffers.Text.Base64Url.EncodeToString(parameters.Exponent!),
            },
            huge,
            off,
            encryption,
        ];

        foreach (var key in bad)
        {
            JsonWebKeySet.Parse(TokenIssuer.KeySet(key.DeepClone()), out _).ShouldBe(JwtStatus.NoValidKeys, key.ToJsonString());
        }

        JsonWebKeySet.Parse(TokenIssuer.KeySet([.. bad, _issuer.RsaKey()]), out var keys).ShouldBe(JwtStatus.Ok);
        keys!.Count.ShouldBe(1);
    }

    [Fact]
    public void Certificates_by_their_ids_are_keys_too()
    {
        var request = new CertificateRequest("CN=issuer", _issuer.Rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));

        JsonWebKeySet.Parse(new JsonObject { ["k1"] = certificate.ExportCertificatePem() }.ToJsonString(), out var keys).ShouldBe(JwtStatus.Ok);

        CompactJwt.Parse(_issuer.Sign(TokenIssuer.Claims()), out var token).ShouldBe(JwtStatus.Ok);
        keys!.Verify(token!).ShouldBe(JwtStatus.Ok);
    }

    private static byte[] Bytes(JsonNode json, string name)
    {
        StrictBase64Url.TryDecode(json[name]!.GetValue<string>(), out var bytes).ShouldBeTrue();
        return bytes;
    }

    // Another payload under the same signature.
    private static string Forged(string token)
    {
        var parts = token.Split('.');
        return $"{parts[0]}.{TokenIssuer.Encode("""{"iss":"issuer","sub":"admin"}""")}.{parts[2]}";
    }

    private static JwtStatus Verify(string text, params JsonNode[] keys)
    {
        CompactJwt.Parse(text, out var token).ShouldBe(JwtStatus.Ok);
        JsonWebKeySet.Parse(TokenIssuer.KeySet([.. keys.Select(k => k.DeepClone())]), out var set).ShouldBe(JwtStatus.Ok);
        return set!.Verify(token!);
    }
}
