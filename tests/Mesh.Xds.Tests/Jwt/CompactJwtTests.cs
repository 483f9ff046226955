using Mesh.Xds.Jwt;

namespace Mesh.Xds.Tests.Jwt;

public sealed class CompactJwtTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000);

    [Theory]
    [InlineData("", "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections")]
    [InlineData("abc", "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections")]
    [InlineData("a.b", "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections")]
    [InlineData("a..c", "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections")]
    [InlineData("a.b.", "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections")]
    [InlineData(".b.c", "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections")]
    [InlineData("a.b.c.d", "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections")]
    [InlineData("a.b.c.d.e", "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections")]
    [InlineData("e*30.e30.e30", "Jwt header is an invalid Base64url encoded")]
    public void A_token_of_another_form_is_refused(string text, string status) => CompactJwt.Parse(text, out _).Text.ShouldBe(status);

    [Theory]
    [InlineData("[]", "Jwt header is an invalid JSON")]
    [InlineData("{", "Jwt header is an invalid JSON")]
    [InlineData("""{"alg":"RS256","alg":"none"}""", "Jwt header is an invalid JSON")]
    [InlineData("{}", "Jwt header [alg] field is required and must be a string")]
    [InlineData("""{"alg":256}""", "Jwt header [alg] field is required and must be a string")]
    [InlineData("""{"alg":"none"}""", "Jwt header [alg] is not supported")]
    [InlineData("""{"alg":"None"}""", "Jwt header [alg] is not supported")]
    [InlineData("""{"alg":""}""", "Jwt header [alg] is not supported")]
    [InlineData("""{"alg":"RS256","kid":1}""", "Jwt header [kid] field is not a string")]
    [InlineData("""{"alg":"RS256","crit":["b64"],"b64":false}""", "Jwt header [crit] names extensions that are not supported")]
    public void A_bad_header_is_refused(string header, string status)
        => CompactJwt.Parse($"{TokenIssuer.Encode(header)}.{TokenIssuer.Encode("{}")}.AAAA", out _).Text.ShouldBe(status);

    [Theory]
    [InlineData("[]", "Jwt payload is an invalid JSON")]
    [InlineData("""{"iss":"good","iss":"evil"}""", "Jwt payload is an invalid JSON")]
    [InlineData("""{"iss":1}""", "Jwt payload [iss] field is not a string")]
    [InlineData("""{"iss":"\ud800"}""", "Jwt payload [iss] field is not a string")]
    [InlineData("""{"sub":{}}""", "Jwt payload [sub] field is not a string")]
    [InlineData("""{"jti":[]}""", "Jwt payload [jti] field is not a string")]
    [InlineData("""{"exp":"tomorrow"}""", "Jwt payload [exp] field is not an integer")]
    [InlineData("""{"exp":null}""", "Jwt payload [exp] field is not an integer")]
    [InlineData("""{"exp":-1}""", "Jwt payload [exp] field is not a positive 64 bit integer")]
    [InlineData("""{"exp":1e999}""", "Jwt payload [exp] field is not a positive 64 bit integer")]
    [InlineData("""{"exp":18446744073709551616}""", "Jwt payload [exp] field is not a positive 64 bit integer")]
    [InlineData("""{"nbf":true}""", "Jwt payload [nbf] field is not an integer")]
    [InlineData("""{"iat":"now"}""", "Jwt payload [iat] field is not an integer")]
    [InlineData("""{"aud":5}""", "Jwt payload [aud] field is not a string or string list")]
    [InlineData("""{"aud":["a",5]}""", "Jwt payload [aud] field is not a string or string list")]
    public void A_bad_claim_is_refused(string payload, string status)
        => CompactJwt.Parse($"{TokenIssuer.Encode("""{"alg":"RS256"}""")}.{TokenIssuer.Encode(payload)}.AAAA", out _).Text.ShouldBe(status);

    [Fact]
    public void There_is_one_spelling_of_each_token()
    {
        var token = $"{TokenIssuer.Encode("""{"alg":"RS256"}""")}.{TokenIssuer.Encode("{}")}.";
        CompactJwt.Parse(token + "AA", out _).ShouldBe(JwtStatus.Ok);
        CompactJwt.Parse(token + "AB", out _).ShouldBe(JwtStatus.SignatureBadBase64);
        CompactJwt.Parse(token + "AA==", out _).ShouldBe(JwtStatus.SignatureBadBase64);
        CompactJwt.Parse(token + "A A", out _).ShouldBe(JwtStatus.SignatureBadBase64);
        CompactJwt.Parse(token + "A", out _).ShouldBe(JwtStatus.SignatureBadBase64);
        CompactJwt.Parse(token + "AAAB", out _).ShouldBe(JwtStatus.Ok);
    }

    [Fact]
    public void A_token_that_is_too_long_is_not_looked_at()
        => CompactJwt.Parse($"{TokenIssuer.Encode("""{"alg":"RS256"}""")}.{new string('A', CompactJwt.MaxLength)}.AAAA", out _).ShouldBe(JwtStatus.BadFormat);

    [Fact]
    public void JSON_that_is_nested_without_end_is_refused()
        => CompactJwt.Parse($"{TokenIssuer.Encode("""{"alg":"RS256"}""")}.{TokenIssuer.Encode("{\"a\":" + new string('[', 1000) + new string(']', 1000) + "}")}.AAAA", out _)
            .ShouldBe(JwtStatus.PayloadBadJson);

    [Theory]
    [InlineData("{}", "OK")]
    [InlineData("""{"exp":1700000000}""", "OK")]
    [InlineData("""{"exp":1699999940}""", "OK")]
    [InlineData("""{"exp":1699999939}""", "Jwt is expired")]
    [InlineData("""{"exp":0}""", "Jwt is expired")]
    [InlineData("""{"exp":1699999939.9}""", "Jwt is expired")]
    [InlineData("""{"exp":1700000000000}""", "OK")]
    [InlineData("""{"exp":18446744073709551615}""", "OK")]
    [InlineData("""{"nbf":1700000060}""", "OK")]
    [InlineData("""{"nbf":1700000061}""", "Jwt not yet valid")]
    [InlineData("""{"nbf":18446744073709551615}""", "Jwt not yet valid")]
    [InlineData("""{"iat":4000000000}""", "OK")]
    public void Time_is_checked_with_a_minute_of_grace(string payload, string status)
    {
        CompactJwt.Parse($"{TokenIssuer.Encode("""{"alg":"RS256"}""")}.{TokenIssuer.Encode(payload)}.AAAA", out var token).ShouldBe(JwtStatus.Ok);

        token!.CheckTime(Now, TimeSpan.FromSeconds(60)).Text.ShouldBe(status);
    }

    [Fact]
    public void Audiences_are_one_or_several()
    {
        Audiences("{}").ShouldBe([]);
        Audiences("""{"aud":"a"}""").ShouldBe(["a"]);
        Audiences("""{"aud":["a","b"]}""").ShouldBe(["a", "b"]);
    }

    private static IReadOnlyList<string> Audiences(string payload)
    {
        CompactJwt.Parse($"{TokenIssuer.Encode("""{"alg":"RS256"}""")}.{TokenIssuer.Encode(payload)}.AAAA", out var token).ShouldBe(JwtStatus.Ok);
        return token!.Audiences;
    }
}
