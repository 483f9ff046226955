using System.Net;
using Envoy.Config.Rbac.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Envoy.Type.Matcher.V3;
using FsCheck;
using FsCheck.Fluent;
using Google.Protobuf.WellKnownTypes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Escaped = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.Types.PathWithEscapedSlashesAction;
using HttpRbac = Envoy.Extensions.Filters.Http.Rbac.V3.RBAC;

namespace Mesh.Server.Tests.Http;

/// <summary>The path that policies judge and the path that the application is routed by.</summary>
public sealed class PathTests
{
    /// <summary>What MeshConfig's path normalisation makes of a listener: NONE, BASE, MERGE_SLASHES, DECODE_AND_MERGE_SLASHES.</summary>
    public static TheoryData<bool, bool, bool> Normalizations => new()
    {
        { false, false, false },
        { true, false, false },
        { true, true, false },
        { true, true, true },
    };

    [Theory]
    [InlineData("/a//b/../c%41?q=%2F", "/a/cA", "?q=%2F", "/a/cA?q=%2F")]
    [InlineData("/a%2Fb", "/a%2Fb", "", "/a%2Fb")]
    [InlineData("/a%20b", "/a b", "", "/a%20b")]
    [InlineData("/%C3%A9//", "/é/", "", "/%C3%A9/")]
    [InlineData("http://reviews:9080/x/../a//b?c", "/a/b", "?c", "/a/b?c")]
    public async Task The_application_gets_the_path_that_was_judged(string target, string path, string query, string raw)
    {
        await using var host = await DoorHost.StartAsync(m => (m.NormalizePath, m.MergeSlashes) = (true, true));

        (await host.SendAsync(target)).Status.ShouldBe(200);

        (host.Requests[0].Path, host.Requests[0].Query).ShouldBe((path, query));
        if (!target.StartsWith("http", StringComparison.Ordinal))
        {
            host.Requests[0].RawTarget.ShouldBe(raw);
        }
    }

    [Fact]
    public async Task Escaped_slashes_are_refused_or_sent_elsewhere_where_that_is_said()
    {
        await using var host = await DoorHost.StartAsync(m => m.PathWithEscapedSlashesAction = Escaped.RejectRequest);
        (await host.SendAsync("/a%2Fb")).Status.ShouldBe(400);
        (await host.SendAsync("/a/b?x=%2F")).Status.ShouldBe(200);

        host.Change(m => m.PathWithEscapedSlashesAction = Escaped.UnescapeAndRedirect);
        (await host.SendAsync("/a%5Cb?c")).ShouldSatisfyAllConditions(a => a.Status.ShouldBe(307), a => a.Headers["location"].ShouldBe("/a\\b?c"));
    }

    [Theory]
    [InlineData("/public#/../admin")]
    [InlineData("/admin#")]
    public async Task A_fragment_is_refused(string target)
    {
        await using var host = await DoorHost.StartAsync(_ => { });

        (await host.SendAsync(target)).Status.ShouldBe(400);
        host.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Hosts_lose_port_and_dot_where_that_is_said()
    {
        await using var host = await DoorHost.StartAsync(m => (m.StripAnyHostPort, m.StripTrailingHostDot) = (true, true));

        await host.SendAsync("/", ("host", "reviews.:9080"));

        host.Requests[0].Host.ShouldBe("reviews");
    }

    [Fact]
    public async Task A_path_that_means_two_routes_is_refused()
    {
        await using var host = await DoorHost.StartAsync(m =>
        {
            var open = new Route { Match = new RouteMatch { Prefix = "/public/" }, NonForwardingAction = new() };
            open.TypedPerFilterConfig["rbac"] = Any.Pack(new FilterConfig { Disabled = true });
            m.RouteConfig.VirtualHosts[0].Routes.Insert(0, open);
            m.HttpFilters.Insert(0, Deny("/admin"));
        });

        (await host.SendAsync("/public/%2e%2e/admin")).ShouldSatisfyAllConditions(a => a.Status.ShouldBe(400), a => a.Body.ShouldStartWith("the path means one route"));
        (await host.SendAsync("/public/../admin")).Status.ShouldBe(400);
        (await host.SendAsync("/public/a%20b")).Status.ShouldBe(200);
        (await host.SendAsync("/admin")).Status.ShouldBe(403);
    }

    [Theory]
    [InlineData("/admin")]
    [InlineData("/admin?x")]
    [InlineData("/./admin")]
    [InlineData("/x/../admin")]
    [InlineData("/%2e/admin")]
    [InlineData("/x/%2e%2e/admin")]
    [InlineData("/adm%69n")]
    [InlineData("/%61%64%6d%69%6e")]
    [InlineData("/x/.%2e/adm%69n")]
    [InlineData("http://reviews:9080/adm%69n")]
    [InlineData("http://reviews:9080/x/../admin")]
    [InlineData("http://other@reviews:9080/admin")]
    public async Task Tricks_do_not_lead_around_a_denied_path(string target)
    {
        await using var host = await DoorHost.StartAsync(m => m.HttpFilters.Insert(0, Deny("/admin")), app => app.MapGet("/admin", () => "secret"));

        var answer = await host.SendAsync(target);

        answer.Status.ShouldBeOneOf(403, 400);
        answer.Body.ShouldNotContain("secret");
        host.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_method_is_the_one_that_the_application_sees()
    {
        await using var host = await DoorHost.StartAsync(
            m => m.HttpFilters.Insert(0, Deny(new Permission { Header = new HeaderMatcher { Name = ":method", StringMatch = new StringMatcher { Exact = "GET" } } })),
            app => app.MapMethods("/", ["GET", "HEAD"], () => "secret"));

        (await host.SendAsync("/")).Status.ShouldBe(403);
        (await host.SendAsync("HEAD", "/", null)).Status.ShouldBe(403, "who may not read it may not ask how long it is");
        (await host.SendAsync("POST", "/", "", ("x-http-method-override", "GET"))).Status.ShouldBe(405);
    }

    [Theory]
    [InlineData("evil", "reviews")]
    [InlineData("reviews", "evil")]
    public async Task Two_hosts_are_refused_or_one(string first, string second)
    {
        await using var host = await DoorHost.StartAsync(m => m.HttpFilters.Insert(0, Deny(new Permission { Header = new HeaderMatcher { Name = ":authority", StringMatch = new StringMatcher { Exact = "evil" } } })));

        (await host.SendAsync("/", ("host", first), ("host", second))).Status.ShouldBe(400);
        (await host.SendAsync($"http://{first}/", ("host", second))).Status.ShouldBeOneOf(400, 403);
        (await host.SendAsync("/", ("host", "evil"))).Status.ShouldBe(403);
    }

    [Theory]
    [MemberData(nameof(Normalizations))]
    public async Task No_spelling_of_a_denied_path_reaches_its_endpoint(bool normalizes, bool merges, bool unescapes)
    {
        await using var host = await DoorHost.StartAsync(
            m =>
            {
                (m.NormalizePath, m.MergeSlashes) = (normalizes, merges);
                m.PathWithEscapedSlashesAction = unescapes ? Escaped.UnescapeAndForward : Escaped.KeepUnchanged;
                m.HttpFilters.Insert(0, Deny("/admin", "/a/b"));
            },
            app =>
            {
                app.MapGet("/admin", () => "secret");
                app.MapGet("/a/b", () => "secret");
                app.MapGet("/{one}", (string one) => "open");
                app.MapGet("/{one}/{*rest}", (string one) => "open");
            });
        using var client = host.Client();

        Check.One(
            Config.QuickThrowOnFailure.WithReplay(7, 7).WithMaxTest(400),
            Prop.ForAll(Arb.From(Spellings), target => !Body(client, target).Contains("secret", StringComparison.Ordinal)));
    }

    [Theory]
    [MemberData(nameof(Normalizations))]
    public async Task Nor_does_one_that_only_routing_takes_for_the_same_where_policies_read_as_it_does(bool normalizes, bool merges, bool unescapes)
    {
        await using var host = await DoorHost.StartAsync(
            m =>
            {
                (m.NormalizePath, m.MergeSlashes) = (normalizes, merges);
                m.PathWithEscapedSlashesAction = unescapes ? Escaped.UnescapeAndForward : Escaped.KeepUnchanged;
                m.HttpFilters.Insert(0, Deny("/admin", "/A/b"));
            },
            app =>
            {
                app.MapGet("/Admin", () => "secret");
                app.MapGet("/a/b", () => "secret");
                app.MapGet("/{one}/{*rest}", (string one) => "open");
            },
            caseInsensitivePaths: true);
        using var client = host.Client();

        Check.One(
            Config.QuickThrowOnFailure.WithReplay(7, 7).WithMaxTest(400),
            Prop.ForAll(
                Arb.From(
                    from spelling in Spellings
                    from flips in Gen.Elements(false, true).ArrayOf(spelling.Length)
                    from end in Gen.Elements("", "/", "//", "/.", "/%2e", "/x/..")
                    select string.Concat(spelling.Zip(flips, (c, flip) => flip ? char.ToUpperInvariant(c) : c)) + end),
                target => !Body(client, target).Contains("secret", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Envoy_reads_every_byte_and_so_does_a_policy_unless_told_otherwise()
    {
        await using var host = await DoorHost.StartAsync(m => m.HttpFilters.Insert(0, Deny("/admin")));

        (await host.SendAsync("/Admin")).Status.ShouldBe(200);
        (await host.SendAsync("/admin/")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task A_path_that_was_put_in_place_of_another_is_read_as_the_server_itself_would_read_it()
    {
        await using var normalizing = await DoorHost.StartAsync(m =>
        {
            (m.NormalizePath, m.MergeSlashes) = (true, true);
            m.PathWithEscapedSlashesAction = Escaped.UnescapeAndForward;
        });
        await using var plain = await DoorHost.StartAsync();
        using var client = normalizing.Client();
        using var server = plain.Client();

        Check.One(
            Config.QuickThrowOnFailure.WithReplay(7, 7).WithMaxTest(300),
            Prop.ForAll(
                Arb.From(Gen.Elements("/", "//", "/./", "/../", "%2e", "%2F", "%5C", "a", "%61", "%C3%A9", "%E9", "%25", "%2520", "%3F", "%23", "%20", "+", ";x", "~", "%7E", "%zz", ".").ArrayOf()),
                pieces =>
                {
                    normalizing.Requests.Clear();
                    plain.Requests.Clear();
                    Body(client, "/" + string.Concat(pieces));
                    if (normalizing.Requests is not [var judged])
                    {
                        return;
                    }

                    Body(server, judged.RawTarget);
                    plain.Requests.ShouldHaveSingleItem().Path.ShouldBe(judged.Path, judged.RawTarget);
                }));
    }

    [Fact]
    public async Task A_token_is_required_for_a_path_however_it_is_spelled()
    {
        using var key = System.Security.Cryptography.RSA.Create(2048);
        var modulus = System.Buffers.Text.Base64Url.EncodeToString(key.ExportParameters(false).Modulus);
        await using var host = await DoorHost.StartAsync(m => m.HttpFilters.Insert(0, new HttpFilter
        {
            Name = "jwt",
            TypedConfig = Any.Pack(new Envoy.Extensions.Filters.Http.JwtAuthn.V3.JwtAuthentication
            {
                Providers =
                {
                    ["issuer"] = new()
                    {
                        Issuer = "issuer",
                        LocalJwks = new() { InlineString = $$"""{"keys":[{"kty":"RSA","kid":"a","e":"AQAB","n":"{{modulus}}"}]}""" },
                    },
                },
                Rules = { new Envoy.Extensions.Filters.Http.JwtAuthn.V3.RequirementRule { Match = new RouteMatch { Path = "/admin" }, Requires = new() { ProviderName = "issuer" } } },
            }),
        }));

        (await host.SendAsync("/admin")).Status.ShouldBe(401);
        (await host.SendAsync("/adm%69n")).Status.ShouldBe(401);
        (await host.SendAsync("/x/../admin?y")).Status.ShouldBe(401);
        (await host.SendAsync("/open")).Status.ShouldBe(200);
    }

    private static Gen<string> Spellings =>
        from path in Gen.Elements("/admin", "/a/b")
        from spelled in Gen.CollectToSequence(path, Spelling)
        from noise in Gen.Elements("", "", "?x", ";x", "%00", "#", "%3Fx")
        from before in Gen.Elements("", "", "/", "/.", "/x/..", "/x/%2e%2e", "/%2E", "/x%2f..", "/x\\..", "//")
        select (before + string.Concat(spelled) + noise) is ['/', ..] and var target ? target : "/" + before + string.Concat(spelled) + noise;

    private static Gen<string> Spelling(char c) => Gen.Frequency(
        (6, Gen.Constant(c.ToString())),
        (3, Gen.Constant($"%{(int)c:x2}")),
        (1, Gen.Constant($"%{(int)c:X2}")),
        (1, Gen.Constant($"%25{(int)c:X2}")),
        (1, Gen.Constant(c == '/' ? "//" : c.ToString())),
        (1, Gen.Constant(c == '/' ? "/./" : c.ToString())),
        (1, Gen.Constant(c == '/' ? "/x/../" : c.ToString())),
        (1, Gen.Constant(c == '/' ? "\\" : c.ToString())));

    private static string Body(HttpClient client, string target)
    {
        var uri = new Uri(client.BaseAddress!.GetLeftPart(UriPartial.Authority) + target, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        using var request = new HttpRequestMessage(System.Net.Http.HttpMethod.Get, uri);
        using var response = client.Send(request);
        using var reader = new StreamReader(response.Content.ReadAsStream());
        return reader.ReadToEnd();
    }

    private static HttpFilter Deny(params string[] paths)
        => Deny(new Permission { OrRules = new() { Rules = { paths.Select(p => new Permission { UrlPath = new PathMatcher { Path = new StringMatcher { Exact = p } } }) } } });

    private static HttpFilter Deny(Permission permission) => new()
    {
        Name = "rbac",
        TypedConfig = Any.Pack(new HttpRbac
        {
            Rules = new RBAC
            {
                Action = RBAC.Types.Action.Deny,
                Policies = { ["denied"] = new Policy { Permissions = { permission }, Principals = { new Principal { Any = true } } } },
            },
        }),
    };
}
