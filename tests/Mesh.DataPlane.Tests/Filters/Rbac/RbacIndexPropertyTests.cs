using System.Net;
using System.Security.Cryptography.X509Certificates;
using Envoy.Config.Rbac.V3;
using FsCheck;
using FsCheck.Fluent;
using Mesh.DataPlane.Inbound;
using Mesh.TestNet;
using HeaderMatcher = Envoy.Config.Route.V3.HeaderMatcher;
using StringMatcher = Envoy.Type.Matcher.V3.StringMatcher;

namespace Mesh.DataPlane.Tests.Filters.Rbac;

/// <summary>Finding policies by what they ask is no other thing than asking each: the same verdict, and the same policy is told.</summary>
public sealed class RbacIndexPropertyTests : IDisposable
{
    private static readonly string[] _paths = ["/", "/a", "/a/b", "/a/bc", "/a/b/c", "/A/b", "/b", "/ab", "/c/d/e"];
    private static readonly string[] _peers = ["spiffe://td/ns/a/sa/x", "spiffe://td/ns/a/sa/xy", "spiffe://td/ns/b/sa/x", "spiffe://other/ns/a/sa/x"];
    private static readonly string[] _values = ["", "a", "b", "a, b", "b, a", "A"];
    private static readonly string[] _methods = ["GET", "HEAD", "POST"];
    private static readonly string[] _authorities = ["a.example", "A.example", "a.example.", "b.example", "B.example"];

    private readonly TestCertificateAuthority _authority = new();
    private readonly X509Certificate2[] _certificates;

    public RbacIndexPropertyTests()
        => _certificates = [.. _peers.Select(p => _authority.Issue(p)), _authority.Issue(_peers[0], _peers[2]), _authority.Issue(_peers[1], "a.example"), _authority.Issue("a.example", "b.example"), _authority.Issue("10.0.0.1")];

    public void Dispose()
    {
        foreach (var certificate in _certificates)
        {
            certificate.Dispose();
        }

        _authority.Dispose();
    }

    [Fact]
    public void The_engine_agrees_with_asking_every_policy()
    {
        var matched = 0;
        Prop.ForAll(Gen.Choose(0, int.MaxValue - 1).ToArbitrary(), seed =>
        {
            var random = new Random(seed);
            var rules = Rules(random);
            var engine = RbacRules.Compile(rules);
            for (var i = 0; i < 40; i++)
            {
                var request = Request(random);
                var expected = NaiveRbac.Find(rules, request);
                var verdict = request.Decide(engine);
                if (verdict.Policy != expected || verdict.IsAllowed != (rules.Action == RBAC.Types.Action.Deny ? expected is null : expected is not null))
                {
                    throw new ShouldAssertException($"{request} with {string.Join("; ", request.Headers)} of {string.Join(", ", request.Connection!.UriNames)}: {verdict} and not {expected}; {rules}");
                }

                matched += expected is null ? 0 : 1;
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(600));

        // As many as make the comparison worth something.
        matched.ShouldBeInRange(2_000, 23_500);
    }

    private static RBAC Rules(Random random)
    {
        var rules = new RBAC { Action = random.Next(2) == 0 ? RBAC.Types.Action.Allow : RBAC.Types.Action.Deny };
        var count = random.Next(1, 30);
        for (var i = 0; i < count; i++)
        {
            var policy = new Policy();
            Repeat(random, () => policy.Permissions.Add(Permission(random, 3)));
            Repeat(random, () => policy.Principals.Add(Principal(random, 3)));
            rules.Policies[$"p{random.Next(1000)}"] = policy;
        }

        return rules;
    }

    private static void Repeat(Random random, System.Action action)
    {
        do
        {
            action();
        }
        while (random.Next(2) == 0);
    }

    private static Permission Permission(Random random, int depth)
    {
        switch (random.Next(depth > 0 ? 9 : 6))
        {
            case 0:
                return new Permission { Any = true };
            case 1 or 2:
                return new Permission { UrlPath = new() { Path = Text(random, _paths) } };
            case 3 or 4:
                return new Permission { Header = Header(random) };
            case 5:
                return new Permission { DestinationPort = (uint)random.Next(79, 82) };
            case 6:
                var all = new Permission.Types.Set();
                Repeat(random, () => all.Rules.Add(Permission(random, depth - 1)));
                return new Permission { AndRules = all };
            case 7:
                var any = new Permission.Types.Set();
                Repeat(random, () => any.Rules.Add(Permission(random, depth - 1)));
                return new Permission { OrRules = any };
            default:
                return new Permission { NotRule = Permission(random, depth - 1) };
        }
    }

    private static Principal Principal(Random random, int depth)
    {
        switch (random.Next(depth > 0 ? 9 : 6))
        {
            case 0:
                return new Principal { Any = true };
            case 1 or 2 or 3:
                return new Principal { Authenticated = new() { PrincipalName = random.Next(8) == 0 ? null : Text(random, [.. _peers, "a.example", "CN=10.0.0.1"]) } };
            case 4:
                return new Principal { Header = Header(random) };
            case 5:
                return new Principal { UrlPath = new() { Path = Text(random, _paths) } };
            case 6:
                var all = new Principal.Types.Set();
                Repeat(random, () => all.Ids.Add(Principal(random, depth - 1)));
                return new Principal { AndIds = all };
            case 7:
                var any = new Principal.Types.Set();
                Repeat(random, () => any.Ids.Add(Principal(random, depth - 1)));
                return new Principal { OrIds = any };
            default:
                return new Principal { NotId = Principal(random, depth - 1) };
        }
    }

    private static HeaderMatcher Header(Random random)
    {
        var name = Of(random, ["x", "y", ":method", ":authority"]);
        var matcher = new HeaderMatcher { Name = name, InvertMatch = random.Next(4) == 0, TreatMissingHeaderAsEmpty = random.Next(4) == 0 };
        if (random.Next(6) > 0)
        {
            matcher.StringMatch = Text(random, name switch { ":method" => _methods, ":authority" => _authorities, _ => _values });
        }

        return matcher;
    }

    // Exact mostly, as policies are; now and then a part of a text in place of the whole.
    private static StringMatcher Text(Random random, string[] texts)
    {
        var text = Of(random, texts);
        var part = text[..random.Next(text.Length + 1)];
        var matcher = random.Next(8) switch
        {
            0 or 1 when part.Length > 0 => new StringMatcher { Prefix = part },
            2 when text.Length > 0 => new StringMatcher { Suffix = text[^1..] },
            3 when part.Length > 0 => new StringMatcher { Contains = part },
            4 => new StringMatcher { SafeRegex = new() { Regex = System.Text.RegularExpressions.Regex.Escape(part) + ".*" } },
            _ => new StringMatcher { Exact = text },
        };
        matcher.IgnoreCase = matcher.SafeRegex is null && random.Next(5) == 0;
        return matcher;
    }

    private static string Of(Random random, string[] texts) => texts[random.Next(texts.Length)];

    private TestRequest Request(Random random)
    {
        var request = new TestRequest(Of(random, _paths) + (random.Next(4) == 0 ? "?q=1" : ""), Of(random, _methods), Of(random, _authorities))
        {
            Connection = new ConnectionFacts
            {
                IsTls = random.Next(8) > 0,
                PeerCertificate = random.Next(8) > 0 ? _certificates[random.Next(_certificates.Length)] : null,
                LocalEndPoint = new IPEndPoint(IPAddress.Loopback, random.Next(79, 82)),
            },
        };
        if (!request.Connection!.IsTls)
        {
            request = request with { Connection = new ConnectionFacts { LocalEndPoint = request.Connection.LocalEndPoint } };
        }

        foreach (var name in new[] { "x", "y" })
        {
            var lines = random.Next(4);
            if (lines is > 0 and < 3)
            {
                request = request.With(name, [.. Enumerable.Range(0, lines).Select(_ => Of(random, _values))]);
            }
        }

        return request;
    }
}
