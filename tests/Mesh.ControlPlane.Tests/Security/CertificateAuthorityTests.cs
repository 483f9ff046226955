using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Mesh.Xds.Certificates;
using Mesh.Xds.Grpc;
using Mesh.Xds.Tests.Jwt;

namespace Mesh.ControlPlane.Tests.Security;

/// <summary>Who gets which certificate.</summary>
public sealed class CertificateAuthorityTests : IAsyncDisposable
{
    private const string Token = "0123456789abcdef0123456789abcdef";
    private const string Reviews = "spiffe://cluster.local/ns/default/sa/bookinfo-reviews";
    private const string Ratings = "spiffe://cluster.local/ns/default/sa/bookinfo-ratings";
    private static readonly IPEndPoint Elsewhere = new(IPAddress.Parse("10.0.0.7"), 40000);

    private readonly SecretFolder _files = new();
    private readonly List<TestControlPlane> _controlPlanes = [];
    private readonly TokenIssuer _cluster = new();

    public async ValueTask DisposeAsync()
    {
        foreach (var controlPlane in _controlPlanes)
        {
            await controlPlane.DisposeAsync();
        }

        _cluster.Dispose();
        _files.Dispose();
    }

    private TestControlPlane Start(Action<MeshControlPlaneOptions>? configure = null, string? environment = null)
    {
        var controlPlane = new TestControlPlane(configure, environment: environment);
        _controlPlanes.Add(controlPlane);
        return controlPlane;
    }

    private Action<MeshControlPlaneOptions> WithToken(params string[] accounts) => options =>
    {
        var token = new MeshJoinTokenOptions { File = _files.Write("token", Token + "\n") };
        foreach (var account in accounts)
        {
            token.Accounts.Add(account);
        }

        options.Authentication.JoinTokens.Add(token);
    };

    private Action<MeshControlPlaneOptions> WithCluster() => options => options.Authentication.ServiceAccountIssuers.Add(new MeshServiceAccountIssuerOptions
    {
        Issuer = "https://kubernetes.default.svc",
        JwksFile = _files.Write("jwks.json", TokenIssuer.KeySet(_cluster.RsaKey())),
    });

    private string AccountToken(TestControlPlane controlPlane, Action<JsonObject>? change = null, string algorithm = "RS256")
    {
        var claims = new JsonObject
        {
            ["iss"] = "https://kubernetes.default.svc",
            ["sub"] = "system:serviceaccount:default:bookinfo-reviews",
            ["aud"] = new JsonArray("istio-ca"),
            ["exp"] = controlPlane.Time.GetUtcNow().AddHours(1).ToUnixTimeSeconds(),
        };
        change?.Invoke(claims);
        return _cluster.Sign(claims, algorithm);
    }

    private static CallerCredentials Bearer(string token) => new() { BearerToken = token, Remote = Elsewhere };

    private static CallerCredentials Holding(X509Certificate2 certificate, params X509Certificate2[] chain) => new() { Certificate = certificate, CertificateChain = chain, Remote = Elsewhere };

    private static async Task<X509Certificate2> IssueAsync(TestControlPlane controlPlane, CallerCredentials caller, CertificateSigningRequest? request = null)
        => Requests.Certificates((await controlPlane.Issuer.IssueAsync(request ?? Requests.New(), caller, default)).Chain)[0];

    private static async Task<RpcException> RefuseAsync(TestControlPlane controlPlane, CallerCredentials caller, CertificateSigningRequest? request = null)
    {
        var refusal = await Should.ThrowAsync<RpcException>(() => controlPlane.Issuer.IssueAsync(request ?? Requests.New(), caller, default));
        controlPlane.Audit.Last().ShouldContain("certificate refused");
        return refusal;
    }

    [Fact]
    [Trait("Lab", "P13")]
    public async Task A_certificate_has_one_critical_name_no_subject_and_a_day()
    {
        var controlPlane = Start(WithToken("default/bookinfo-reviews"));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        var issued = await controlPlane.Issuer.IssueAsync(Requests.New(key), Bearer(Token), default);

        var certificate = Requests.Certificates(issued.Chain).ShouldHaveSingleItem();
        certificate.Subject.ShouldBe("");
        certificate.Issuer.ShouldBe("O=cluster.local");
        Requests.UrisOf(certificate).ShouldBe([Reviews]);
        certificate.Extensions.Single(e => e.Oid!.Value == "2.5.29.17").Critical.ShouldBeTrue();
        certificate.NotBefore.ToUniversalTime().ShouldBe(controlPlane.Time.GetUtcNow().UtcDateTime.AddMinutes(-2));
        certificate.NotAfter.ToUniversalTime().ShouldBe(controlPlane.Time.GetUtcNow().UtcDateTime.AddHours(24));
        var usage = certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().Single().EnhancedKeyUsages.Cast<Oid>().Select(o => o.Value);
        usage.ShouldBe(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
        var basic = certificate.Extensions.OfType<X509BasicConstraintsExtension>().Single();
        (basic.Critical, basic.CertificateAuthority).ShouldBe((true, false));
        certificate.Extensions.OfType<X509KeyUsageExtension>().Single().KeyUsages.ShouldBe(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyEncipherment);
        certificate.GetECDsaPublicKey()!.ExportSubjectPublicKeyInfo().ShouldBe(key.ExportSubjectPublicKeyInfo());
        Leads(certificate, issued.Roots, controlPlane).ShouldBeTrue();
        controlPlane.Audit.Last().ShouldContain($"certificate issued: {Reviews} to join token token from 10.0.0.7:40000");
        controlPlane.Logs.Entries.ShouldNotContain(entry => entry.Text.Contains(Token));
    }

    [Fact]
    public async Task Names_that_a_request_asks_for_are_ignored()
    {
        var controlPlane = Start(WithToken("default/bookinfo-reviews"));

        var certificate = await IssueAsync(controlPlane, Bearer(Token), Requests.New(Ratings));

        Requests.UrisOf(certificate).ShouldBe([Reviews]);
        certificate.RawDataMemory.Span.IndexOf("anything"u8).ShouldBe(-1);
    }

    [Fact]
    public async Task A_token_for_several_accounts_gives_the_one_that_is_asked_for()
    {
        var controlPlane = Start(WithToken("default/bookinfo-reviews", "default/bookinfo-ratings", "shop/*"));

        Requests.UrisOf(await IssueAsync(controlPlane, Bearer(Token), Requests.New(Ratings))).ShouldBe([Ratings]);
        Requests.UrisOf(await IssueAsync(controlPlane, Bearer(Token), Requests.New("spiffe://cluster.local/ns/shop/sa/cart"))).ShouldBe(["spiffe://cluster.local/ns/shop/sa/cart"]);
        (await RefuseAsync(controlPlane, Bearer(Token))).StatusCode.ShouldBe(StatusCode.InvalidArgument);
        foreach (var other in new[] { "spiffe://cluster.local/ns/default/sa/productpage", "spiffe://elsewhere/ns/default/sa/bookinfo-ratings", "spiffe://cluster.local/ns/shops/sa/cart" })
        {
            (await RefuseAsync(controlPlane, Bearer(Token), Requests.New(other))).StatusCode.ShouldBe(StatusCode.PermissionDenied);
        }
    }

    [Fact]
    public async Task Nobody_gets_anything_for_nothing()
    {
        var controlPlane = Start(WithToken("default/bookinfo-reviews"));

        foreach (var caller in new[]
        {
            new CallerCredentials { Remote = Elsewhere },
            new CallerCredentials { Remote = new IPEndPoint(IPAddress.Loopback, 40000) },
            CallerCredentials.None,
            new CallerCredentials { UserId = 1000 },
            Bearer(""),
            Bearer(Token[..^1]),
            Bearer(Token + "0"),
            Bearer(Token.ToUpperInvariant()),
            Bearer(new string('a', 100_000)),
            Bearer("a.b.c"),
        })
        {
            (await RefuseAsync(controlPlane, caller, Requests.New(Reviews))).StatusCode.ShouldBe(StatusCode.Unauthenticated);
        }
    }

    [Fact]
    public async Task A_token_file_that_changes_is_in_force_at_once_and_one_that_others_can_read_never()
    {
        var controlPlane = Start(WithToken("default/bookinfo-reviews"));
        await IssueAsync(controlPlane, Bearer(Token));

        _files.Write("token", "another-token-that-is-as-long-as-the-first");
        await RefuseAsync(controlPlane, Bearer(Token));
        await IssueAsync(controlPlane, Bearer("another-token-that-is-as-long-as-the-first"));

        _files.Write("token", Token, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        await RefuseAsync(controlPlane, Bearer(Token));
        File.Delete(_files["token"]);
        await RefuseAsync(controlPlane, Bearer(Token));
    }

    [Fact]
    public async Task A_mounted_token_that_is_swapped_below_its_link_is_in_force_at_once()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        // As Kubernetes mounts secrets: token -> ..data/token, ..data -> ..1.
        _files.Write("mount/..1/token", Token);
        _files.Write("mount/..2/token", "another-token-as-long-as-thatXXX");
        Directory.CreateSymbolicLink(_files["mount/..data"], "..1");
        File.CreateSymbolicLink(_files["mount/token"], "..data/token");
        var controlPlane = Start(options => options.Authentication.JoinTokens.Add(new MeshJoinTokenOptions { File = _files["mount/token"], Accounts = { "default/bookinfo-reviews" } }));
        await controlPlane.StartAsync();
        await IssueAsync(controlPlane, Bearer(Token));

        Directory.Delete(_files["mount/..data"]);
        Directory.CreateSymbolicLink(_files["mount/..data"], "..2");

        await RefuseAsync(controlPlane, Bearer(Token));
        await IssueAsync(controlPlane, Bearer("another-token-as-long-as-thatXXX"));
    }

    [Theory]
    [InlineData("short")]
    [InlineData("two words that are long enough")]
    [InlineData("")]
    public async Task A_token_that_can_be_guessed_stops_the_application_from_starting(string text)
    {
        var controlPlane = Start(options =>
        {
            WithToken("default/bookinfo-reviews")(options);
            _files.Write("token", text);
        });

        var error = await Should.ThrowAsync<Exception>(controlPlane.StartAsync);

        error.Message.ShouldContain(_files["token"]);
        error.Message.ShouldContain("openssl rand");
        await RefuseAsync(controlPlane, Bearer(text));
    }

    [Fact]
    public async Task Keys_of_the_allowed_kinds_are_certified_and_others_are_not()
    {
        var controlPlane = Start(WithToken("default/bookinfo-reviews"));
        foreach (var good in new AsymmetricAlgorithm[] { ECDsa.Create(ECCurve.NamedCurves.nistP256), ECDsa.Create(ECCurve.NamedCurves.nistP384), RSA.Create(2048), RSA.Create(3072) })
        {
            using (good)
            {
                (await IssueAsync(controlPlane, Bearer(Token), Requests.New(good))).PublicKey.ExportSubjectPublicKeyInfo().ShouldBe(good.ExportSubjectPublicKeyInfo());
            }
        }

        foreach (var bad in new AsymmetricAlgorithm[] { ECDsa.Create(ECCurve.NamedCurves.nistP521), RSA.Create(1024) })
        {
            using (bad)
            {
                var refusal = await RefuseAsync(controlPlane, Bearer(Token), Requests.New(bad));
                refusal.StatusCode.ShouldBe(StatusCode.InvalidArgument);
                refusal.Detail.ShouldContain("ECDSA P-256");
            }
        }
    }

    [Fact]
    public async Task Who_does_not_have_the_key_gets_no_certificate_for_it()
    {
        var controlPlane = Start(WithToken("default/bookinfo-reviews"));
        var honest = Requests.New(Reviews).Csr.ToArray();

        for (var i = 0; i < honest.Length; i += 7)
        {
            var changed = honest.ToArray();
            changed[i] ^= 1;
            (await RefuseAsync(controlPlane, Bearer(Token), new CertificateSigningRequest(changed))).StatusCode.ShouldBe(StatusCode.InvalidArgument);
        }

        foreach (var bytes in new[] { [], honest[..^1], [.. honest, 0], new byte[20_000], [0x30, 0x84, 0xff, 0xff, 0xff, 0xff] })
        {
            (await RefuseAsync(controlPlane, Bearer(Token), new CertificateSigningRequest(bytes))).StatusCode.ShouldBe(StatusCode.InvalidArgument);
        }
    }

    [Theory]
    [InlineData(0, 24 * 60)]
    [InlineData(-5, 24 * 60)]
    [InlineData(30, 30)]
    [InlineData(90 * 24 * 60, 90 * 24 * 60)]
    [InlineData(365 * 24 * 60, 90 * 24 * 60)]
    public async Task A_lifetime_is_what_is_asked_for_up_to_the_most(int minutes, int given)
    {
        var controlPlane = Start(WithToken("default/bookinfo-reviews"));

        var certificate = await IssueAsync(controlPlane, Bearer(Token), Requests.New(validity: TimeSpan.FromMinutes(minutes)));

        certificate.NotAfter.ToUniversalTime().ShouldBe(controlPlane.Time.GetUtcNow().UtcDateTime.AddMinutes(given));
    }

    [Fact]
    public async Task A_service_accounts_token_gives_its_account()
    {
        var controlPlane = Start(WithCluster());

        Requests.UrisOf(await IssueAsync(controlPlane, Bearer(AccountToken(controlPlane)), Requests.New(Ratings))).ShouldBe([Reviews]);
    }

    [Theory]
    [InlineData("audience", "not for istio-ca")]
    [InlineData("no audience", "not for istio-ca")]
    [InlineData("issuer", "issuer that is not known")]
    [InlineData("expired", "Jwt is expired")]
    [InlineData("not yet", "Jwt not yet valid")]
    [InlineData("for ever", "missing expiration")]
    [InlineData("user", "subject is not")]
    [InlineData("slashes", "subject is not")]
    [InlineData("none", "none that is known")]
    [InlineData("HS256", "Jwt verification fails")]
    public async Task A_token_that_is_not_the_accounts_for_this_purpose_gives_nothing(string flaw, string reason)
    {
        var controlPlane = Start(WithCluster());
        var now = controlPlane.Time.GetUtcNow();
        var token = AccountToken(
            controlPlane,
            claims =>
            {
                switch (flaw)
                {
                    case "audience":
                        claims["aud"] = "vault";
                        break;
                    case "no audience":
                        claims.Remove("aud");
                        break;
                    case "issuer":
                        claims["iss"] = "https://elsewhere";
                        break;
                    case "expired":
                        claims["exp"] = now.AddMinutes(-2).ToUnixTimeSeconds();
                        break;
                    case "not yet":
                        claims["nbf"] = now.AddMinutes(2).ToUnixTimeSeconds();
                        break;
                    case "for ever":
                        claims.Remove("exp");
                        break;
                    case "user":
                        claims["sub"] = "alice";
                        break;
                    case "slashes":
                        claims["sub"] = "system:serviceaccount:default:a/../b";
                        break;
                    default:
                        break;
                }
            },
            flaw is "none" or "HS256" ? flaw : "RS256");

        var refusal = await RefuseAsync(controlPlane, Bearer(token));

        refusal.StatusCode.ShouldBe(StatusCode.Unauthenticated);
        refusal.Detail.ShouldContain(reason);
        controlPlane.Logs.Entries.ShouldNotContain(entry => entry.Text.Contains(token));
    }

    [Fact]
    public async Task Another_clusters_token_gives_nothing()
    {
        var controlPlane = Start(WithCluster());
        using var stranger = new TokenIssuer();

        await RefuseAsync(controlPlane, Bearer(stranger.Sign(new JsonObject
        {
            ["iss"] = "https://kubernetes.default.svc",
            ["sub"] = "system:serviceaccount:default:bookinfo-reviews",
            ["aud"] = "istio-ca",
            ["exp"] = 99999999999,
        })));
    }

    [Fact]
    public async Task A_workload_renews_with_its_certificate_as_the_same()
    {
        var controlPlane = Start(WithToken("default/bookinfo-reviews"));
        var first = await IssueAsync(controlPlane, Bearer(Token));

        controlPlane.Time.Advance(TimeSpan.FromHours(12));
        var second = await IssueAsync(controlPlane, Holding(first), Requests.New(Ratings));

        Requests.UrisOf(second).ShouldBe([Reviews]);
        second.SerialNumber.ShouldNotBe(first.SerialNumber);
        controlPlane.Audit.Last().ShouldContain($"to certificate of {Reviews}");

        controlPlane.Time.Advance(TimeSpan.FromHours(12.1));
        (await RefuseAsync(controlPlane, Holding(first))).Detail.ShouldContain("not trusted");
        await IssueAsync(controlPlane, Holding(second));

        // One whose certificate has expired may have a token.
        await IssueAsync(controlPlane, Holding(first) with { BearerToken = Token });
    }

    [Theory]
    [InlineData("stranger")]
    [InlineData("self-signed")]
    [InlineData("two names")]
    [InlineData("no name")]
    [InlineData("server only")]
    [InlineData("authority")]
    [InlineData("trust domain")]
    [InlineData("no account")]
    public async Task A_certificate_that_only_looks_like_a_workloads_proves_nothing(string flaw)
    {
        using var root = new TestAuthority("root");
        using var stranger = new TestAuthority("root");
        root.WriteTo(_files, root);
        var controlPlane = Start(options => options.CertificateAuthority.CaCerts = _files.Path);
        var certificate = flaw switch
        {
            "stranger" => stranger.Issue(Reviews),
            "self-signed" => stranger.SelfSign(Reviews),
            "two names" => root.Issue([Reviews, Ratings]),
            "no name" => root.Issue([]),
            "server only" => root.Issue([Reviews], "1.3.6.1.5.5.7.3.1"),
            "authority" => root.Certificate,
            "trust domain" => root.Issue("spiffe://elsewhere/ns/default/sa/bookinfo-reviews"),
            _ => root.Issue("spiffe://cluster.local/workload"),
        };

        (await RefuseAsync(controlPlane, Holding(certificate))).StatusCode.ShouldBe(StatusCode.Unauthenticated);
        await IssueAsync(controlPlane, Holding(root.Issue(Reviews)));
    }

    [Fact]
    public async Task The_trust_domain_is_the_meshs_and_its_former_names_are_still_known()
    {
        Directory.CreateDirectory(_files["mesh"]);
        _files.Write("mesh/mesh.yaml", """
            apiVersion: install.istio.io/v1alpha1
            kind: IstioOperator
            metadata: {name: mesh, namespace: istio-system}
            spec:
              meshConfig:
                trustDomain: new.example
                trustDomainAliases: [old.example]
            """);
        using var root = new TestAuthority("root");
        root.WriteTo(_files, root);
        var controlPlane = Start(options =>
        {
            WithToken("default/bookinfo-reviews")(options);
            options.ConfigFolder = _files["mesh"];
            options.CertificateAuthority.CaCerts = _files.Path;
        });
        _ = controlPlane.Discovery;

        Requests.UrisOf(await IssueAsync(controlPlane, Bearer(Token))).ShouldBe(["spiffe://new.example/ns/default/sa/bookinfo-reviews"]);
        Requests.UrisOf(await IssueAsync(controlPlane, Holding(root.Issue("spiffe://old.example/ns/default/sa/bookinfo-reviews"))))
            .ShouldBe(["spiffe://new.example/ns/default/sa/bookinfo-reviews"]);
        await RefuseAsync(controlPlane, Holding(root.Issue(Reviews)));
    }

    [Fact]
    public async Task Users_of_this_machine_are_believed_in_development_only()
    {
        var token = _files.Write("loopback", Token);
        var local = new CallerCredentials { BearerToken = Token, Remote = new IPEndPoint(IPAddress.Loopback, 40000) };
        var socket = new CallerCredentials { UserId = 1000 };
        void Configure(MeshControlPlaneOptions options) => options.Authentication.LoopbackTokenFile = token;

        var production = Start(Configure, "Production");
        await production.StartAsync();
        await RefuseAsync(production, local, Requests.New(Reviews));
        await RefuseAsync(production, socket, Requests.New(Reviews));

        var development = Start(Configure, "Development");
        await development.StartAsync();
        Requests.UrisOf(await IssueAsync(development, local, Requests.New(Reviews))).ShouldBe([Reviews]);
        Requests.UrisOf(await IssueAsync(development, socket, Requests.New(Ratings))).ShouldBe([Ratings]);
        await RefuseAsync(development, local with { Remote = Elsewhere }, Requests.New(Reviews));
        await RefuseAsync(development, socket with { Remote = new IPEndPoint(IPAddress.Loopback, 40000) }, Requests.New(Reviews));
        await RefuseAsync(development, new CallerCredentials { Remote = new IPEndPoint(IPAddress.Loopback, 40000) }, Requests.New(Reviews));

        Start(options =>
        {
            Configure(options);
            options.Authentication.AllowLoopback = true;
        }).Issuer.ShouldNotBeNull();
    }

    [Fact]
    public async Task The_loopback_token_is_made_for_its_owner_alone()
    {
        var path = _files["state/loopback-token"];
        var controlPlane = Start(options => options.Authentication.LoopbackTokenFile = path, "Development");

        await controlPlane.StartAsync();

        var token = File.ReadAllText(path).Trim();
        token.Length.ShouldBeGreaterThanOrEqualTo(43);
        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(path).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        await IssueAsync(controlPlane, new CallerCredentials { BearerToken = token, Remote = new IPEndPoint(IPAddress.IPv6Loopback, 1) }, Requests.New(Reviews));
        var second = Start(options => options.Authentication.LoopbackTokenFile = path, "Development");
        await second.StartAsync();
        File.ReadAllText(path).Trim().ShouldBe(token);
    }

    [Fact]
    public async Task The_control_planes_own_process_is_who_it_runs_as()
    {
        var controlPlane = Start();

        var certificate = await IssueAsync(controlPlane, new CallerCredentials { InProcess = ("default", "bookinfo-reviews") });

        Requests.UrisOf(certificate).ShouldBe([Reviews]);
    }

    [Fact]
    public void Credentials_do_not_tell_their_tokens()
        => new CallerCredentials { BearerToken = Token }.ToString().ShouldNotContain(Token);

    private static bool Leads(X509Certificate2 certificate, string roots, TestControlPlane controlPlane)
        => Mesh.ControlPlane.Security.CertificateChains.LeadsTo(certificate, [], Requests.Certificates(roots), controlPlane.Time.GetUtcNow(), out _);
}
