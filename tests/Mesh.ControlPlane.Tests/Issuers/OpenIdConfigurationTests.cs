using System.Text;
using Mesh.ControlPlane.Issuers;

namespace Mesh.ControlPlane.Tests.Issuers;

/// <summary>What an issuer says of itself is believed as far as it is the issuer's to say.</summary>
public sealed class OpenIdConfigurationTests
{
    private const string Issuer = "https://login.example/realms/shop";

    [Theory]
    [InlineData("https://login.example", "https://login.example/.well-known/openid-configuration")]
    [InlineData("https://login.example/realms/shop/", "https://login.example/realms/shop/.well-known/openid-configuration")]
    [InlineData("http://keycloak.auth:8080/realms/a", "http://keycloak.auth:8080/realms/a/.well-known/openid-configuration")]
    [InlineData("testing@secure.istio.io", null)]
    [InlineData("kubernetes/serviceaccount", null)]
    [InlineData("ftp://login.example", null)]
    [InlineData("file:///etc/passwd", null)]
    [InlineData("https://me:secret@login.example", null)]
    [InlineData("https://login.example/?a=b", null)]
    [InlineData("https://login.example/#a", null)]
    public void An_issuer_publishes_below_its_own_address(string issuer, string? address)
        => OpenIdConfiguration.AddressOf(issuer)?.AbsoluteUri.ShouldBe(address);

    [Theory]
    [InlineData("""{"issuer":"https://login.example/realms/shop","jwks_uri":"https://keys.example/a?b=c"}""")]
    [InlineData("""{"issuer":"https://login.example/realms/shop/","jwks_uri":"https://keys.example/a?b=c","other":[{}]}""")]
    [InlineData("""{"jwks_uri":"https://keys.example/a?b=c"}""")]
    public void It_says_where_its_keys_are(string json) => Read(json).ShouldBe("https://keys.example/a?b=c");

    [Theory]
    [InlineData("", "is no JSON")]
    [InlineData("<html>", "is no JSON")]
    [InlineData("[]", "names no jwks_uri")]
    [InlineData("{}", "names no jwks_uri")]
    [InlineData("""{"jwks_uri":1}""", "names no jwks_uri")]
    [InlineData("""{"jwks_uri":"keys"}""", "no http or https address")]
    [InlineData("""{"jwks_uri":"file:///etc/passwd"}""", "no http or https address")]
    [InlineData("""{"jwks_uri":"http://login.example/keys"}""", "is in clear text")]
    [InlineData("""{"issuer":"https://evil.example","jwks_uri":"https://evil.example/keys"}""", "is that of another issuer, \"https://evil.example\"")]
    [InlineData("""{"issuer":"a\u000ab","jwks_uri":"https://evil.example/keys"}""", "\"a?b\"")]
    public void What_is_not_its_to_say_is_not_believed(string json, string reason) => Should.Throw<IssuerException>(() => Read(json)).Message.ShouldContain(reason);

    [Fact]
    public void What_is_nested_too_deeply_or_has_a_long_name_is_not_believed()
    {
        Should.Throw<IssuerException>(() => Read($$"""{"a":{{new string('[', 100)}}{{new string(']', 100)}},"jwks_uri":"https://a/b"}"""));
        Should.Throw<IssuerException>(() => Read($$"""{"jwks_uri":"https://a/{{new string('b', 3000)}}"}"""));
    }

    private static string Read(string json) => OpenIdConfiguration.JwksUriOf(Issuer, Encoding.UTF8.GetBytes(json));
}
