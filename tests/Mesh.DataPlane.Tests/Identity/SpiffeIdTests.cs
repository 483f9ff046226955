using Mesh.Identity;

namespace Mesh.DataPlane.Tests.Identity;

public sealed class SpiffeIdTests
{
    [Fact]
    public void Says_who_a_workload_is()
    {
        var id = SpiffeId.Parse("spiffe://cluster.local/ns/default/sa/bookinfo-productpage");

        id.TrustDomain.ShouldBe("cluster.local");
        id.Path.ShouldBe("/ns/default/sa/bookinfo-productpage");
        id.Namespace.ShouldBe("default");
        id.ServiceAccount.ShouldBe("bookinfo-productpage");
        id.ShouldBe(SpiffeId.ForWorkload("cluster.local", "default", "bookinfo-productpage"));
        id.ToString().ShouldBe("spiffe://cluster.local/ns/default/sa/bookinfo-productpage");
    }

    [Theory]
    [InlineData("spiffe://td", "")]
    [InlineData("spiffe://td/workload", "/workload")]
    [InlineData("spiffe://td/ns/a/sa/b/c", "/ns/a/sa/b/c")]
    public void An_identity_need_not_be_of_Istios_form(string text, string path)
    {
        var id = SpiffeId.Parse(text);

        id.Path.ShouldBe(path);
        id.Namespace.ShouldBeNull();
        id.ServiceAccount.ShouldBeNull();
    }

    [Theory]
    [InlineData("")]
    [InlineData("SPIFFE://td/x")]
    [InlineData("https://td/x")]
    [InlineData("spiffe:/td/x")]
    [InlineData("spiffe:///ns/a/sa/b")]
    [InlineData("spiffe://TD/x")]
    [InlineData("spiffe://user@td/x")]
    [InlineData("spiffe://td@x/y")]
    [InlineData("spiffe://td:8080/x")]
    [InlineData("spiffe://td/")]
    [InlineData("spiffe://td/x/")]
    [InlineData("spiffe://td//x")]
    [InlineData("spiffe://td/./x")]
    [InlineData("spiffe://td/x/..")]
    [InlineData("spiffe://td/ns%2fa")]
    [InlineData("spiffe://td/x?y")]
    [InlineData("spiffe://td/x#y")]
    [InlineData("spiffe://td/ä")]
    [InlineData("spiffe://td/x ")]
    [InlineData(" spiffe://td/x")]
    [InlineData("spiffe://td/x\0")]
    public void What_only_looks_like_an_identity_is_none(string text)
    {
        SpiffeId.TryParse(text, out var id).ShouldBeFalse();
        id.ShouldBe(default);
        Should.Throw<FormatException>(() => SpiffeId.Parse(text)).Message.ShouldContain("is no SPIFFE identity");
    }

    [Fact]
    public void A_service_account_cannot_smuggle_a_path() => Should.Throw<FormatException>(() => SpiffeId.ForWorkload("td", "a/sa/b", "c"));

    [Fact]
    public void An_identity_has_at_most_2048_bytes()
    {
        SpiffeId.TryParse("spiffe://td/" + new string('a', 2036), out _).ShouldBeTrue();
        SpiffeId.TryParse("spiffe://td/" + new string('a', 2037), out _).ShouldBeFalse();
    }
}
