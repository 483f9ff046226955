using System.Net;
using System.Numerics;
using Envoy.Type.Matcher.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.LoadBalancing.Hashing;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Tests.Matching;
using Mesh.Xds.Client;
using Message = Envoy.Config.Route.V3.RouteAction.Types.HashPolicy;

namespace Mesh.DataPlane.Tests.Routing;

public class HashPolicyTests
{
    [Fact]
    public void A_header_is_hashed_by_its_value()
    {
        Hash([Header("x-user")], "/", new() { ["x-user"] = "alice" }).ShouldBe(XxHash64.Hash("alice"));
        Hash([Header("x-user")], "/").ShouldBeNull();
        Hash([Header("x-user")], "/", new() { ["x-user"] = "" }).ShouldBe(XxHash64.Hash(""));
        Hash([Header(":path")], "/a?b=c").ShouldBe(XxHash64.Hash("/a?b=c"));
    }

    [Fact]
    public void A_header_is_rewritten_first()
    {
        var policy = Header("x-user");
        policy.Header.RegexRewrite = new RegexMatchAndSubstitute { Pattern = new RegexMatcher { Regex = "^(\\w+)-\\d+$" }, Substitution = "\\1" };
        Hash([policy], "/", new() { ["x-user"] = "alice-17" }).ShouldBe(XxHash64.Hash("alice"));
        Hash([policy], "/", new() { ["x-user"] = "alice-18" }).ShouldBe(XxHash64.Hash("alice"));
        Hash([policy], "/", new() { ["x-user"] = "bob" }).ShouldBe(XxHash64.Hash("bob"));
    }

    [Fact]
    public void A_query_parameter_is_hashed_as_it_was_sent()
    {
        var policy = new Message { QueryParameter = new() { Name = "user" } };
        Hash([policy], "/?a=1&user=a%20b&user=c").ShouldBe(XxHash64.Hash("a%20b"));
        Hash([policy], "/?a=1").ShouldBeNull();
    }

    [Fact]
    public void A_cookie_is_hashed_without_its_quotes()
    {
        Hash([Cookie()], "/", new() { ["cookie"] = "a=b; session=\"17\"" }, out var setCookie).ShouldBe(XxHash64.Hash("17"));
        setCookie.ShouldBeNull();
        Hash([Cookie()], "/", new() { ["cookie"] = "a=b" }).ShouldBeNull();
    }

    [Fact]
    public void A_missing_cookie_with_a_lifetime_is_generated_and_leads_to_the_same_host_next_time()
    {
        var policy = Cookie();
        policy.Cookie.Ttl = Duration.FromTimeSpan(TimeSpan.FromHours(1));
        policy.Cookie.Path = "/shop";
        policy.Cookie.Attributes.Add(new Message.Types.CookieAttribute { Name = "SameSite", Value = "Lax" });
        policy.Cookie.Attributes.Add(new Message.Types.CookieAttribute { Name = "Secure" });

        var first = Hash([policy], "/", null, out var setCookie);
        var value = setCookie!.Split('"')[1];
        value.Length.ShouldBe(16);
        setCookie.ShouldBe($"session=\"{value}\"; Max-Age=3600; Path=/shop; SameSite=Lax; Secure; HttpOnly");
        Hash([policy], "/", new() { ["cookie"] = $"session={value}" }).ShouldBe(first);
        Hash([policy], "/", null, out var another, draw: 2);
        another.ShouldNotBe(setCookie);
    }

    [Fact]
    public void A_lifetime_of_zero_makes_a_cookie_of_the_session()
    {
        var policy = Cookie();
        policy.Cookie.Ttl = new Duration();
        Hash([policy], "/", null, out var setCookie);
        setCookie!.ShouldEndWith("\"; HttpOnly");
        setCookie.ShouldNotContain("Max-Age");
    }

    [Fact]
    public void The_source_is_whom_the_application_names_or_this_process()
    {
        var policy = new Message { ConnectionProperties = new() { SourceIp = true } };
        var policies = HashPolicyCompiler.Compile([policy], "p", [])!;
        using var request = new HttpRequestMessage();
        policies.TryHash(FakeHeaders.View("/"), request, 0, out var own, out _).ShouldBeTrue();
        own.ShouldBe(XxHash64.Hash(OwnAddress.Find().ToString()));
        request.Options.Set(MeshRequest.SourceAddress, IPAddress.Parse("::ffff:10.1.2.3"));
        policies.TryHash(FakeHeaders.View("/"), request, 0, out var named, out _).ShouldBeTrue();
        named.ShouldBe(XxHash64.Hash("10.1.2.3"));
        HashPolicyCompiler.Compile([new Message { ConnectionProperties = new() }], "p", []).ShouldBeNull();
    }

    [Fact]
    public void The_channel_of_gRPC_is_this_process()
    {
        var policy = new Message { FilterState = new() { Key = "io.grpc.channel_id" } };
        Hash([policy], "/a").ShouldNotBeNull();
        Hash([policy], "/a").ShouldBe(Hash([policy], "/b"));
        var other = new Message { FilterState = new() { Key = "other" } };
        var notes = new List<string>();
        HashPolicyCompiler.Compile([other], "p", notes).ShouldBeNull();
        notes.ShouldHaveSingleItem().ShouldContain("'other'");
    }

    [Fact]
    public void Several_policies_combine_by_rotating()
    {
        var headers = new Dictionary<string, string> { ["x-user"] = "alice", ["x-org"] = "acme" };
        var expected = BitOperations.RotateLeft(XxHash64.Hash("alice"), 1) ^ XxHash64.Hash("acme");
        Hash([Header("x-user"), Header("x-none"), Header("x-org")], "/", headers).ShouldBe(expected);
        Hash([Header("x-user"), Header("x-user")], "/", headers).ShouldNotBe(0UL);
    }

    [Fact]
    public void A_terminal_policy_ends_it_once_there_is_a_hash()
    {
        var terminal = Header("x-user");
        terminal.Terminal = true;
        Hash([terminal, Header("x-org")], "/", new() { ["x-user"] = "alice", ["x-org"] = "acme" }).ShouldBe(XxHash64.Hash("alice"));
        Hash([terminal, Header("x-org")], "/", new() { ["x-org"] = "acme" }).ShouldBe(XxHash64.Hash("acme"));
    }

    [Fact]
    public void Hashing_headers_and_parameters_allocates_nothing()
    {
        var policies = HashPolicyCompiler.Compile([Header("x-user"), new Message { QueryParameter = new() { Name = "q" } }, Cookie()], "p", [])!;
        var headers = new Dictionary<string, string> { ["x-user"] = "alice", ["cookie"] = "session=17" };
        Allocations.Of(_ => policies.TryHash(FakeHeaders.View("/?q=1", headers), null, 0, out var _, out var _)).ShouldBe(0);
    }

    [Theory]
    [InlineData("bad name", "", "h[0].cookie.name")]
    [InlineData("ok", "/a\r\nSet-Cookie: x", "h[0].cookie.path")]
    [InlineData("ok", "/; Domain=evil", "h[0].cookie.path")]
    public void A_cookie_that_would_smuggle_is_refused(string name, string path, string field)
    {
        var message = new Message { Cookie = new() { Name = name, Path = path, Ttl = new Duration { Seconds = 1 } } };
        Should.Throw<ResourceRejectedException>(() => HashPolicyCompiler.Compile([message], "h", [])).Field.ShouldBe(field);
    }

    private static Message Header(string name) => new() { Header = new() { HeaderName = name } };

    private static Message Cookie() => new() { Cookie = new() { Name = "session" } };

    private static ulong? Hash(Message[] messages, string path, Dictionary<string, string>? headers = null) => Hash(messages, path, headers, out _);

    private static ulong? Hash(Message[] messages, string path, Dictionary<string, string>? headers, out string? setCookie, ulong draw = 1)
        => HashPolicyCompiler.Compile(messages, "p", [])!.TryHash(FakeHeaders.View(path, headers), null, draw, out var hash, out setCookie) ? hash : null;
}
