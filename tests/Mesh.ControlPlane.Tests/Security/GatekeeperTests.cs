using System.Net;
using Envoy.Config.Core.V3;
using Mesh.ControlPlane.Discovery;
using Mesh.Xds.Certificates;
using Mesh.Xds.Grpc;
using Mesh.Xds.Serving;

namespace Mesh.ControlPlane.Tests.Security;

/// <summary>Nobody becomes a workload by saying so.</summary>
public sealed class GatekeeperTests : IAsyncDisposable
{
    private const string RatingsToken = "ratings-ratings-ratings-ratings";
    private const string ShopToken = "shop-shop-shop-shop-shop-shop";
    private static readonly IPEndPoint Loopback = new(IPAddress.Loopback, 40000);
    private static readonly IPEndPoint Elsewhere = new(IPAddress.Parse("10.0.0.7"), 40000);
    private static long _connections;

    private readonly SecretFolder _files = new();
    private readonly List<TestControlPlane> _controlPlanes = [];

    public async ValueTask DisposeAsync()
    {
        foreach (var controlPlane in _controlPlanes)
        {
            await controlPlane.DisposeAsync();
        }

        _files.Dispose();
    }

    private TestControlPlane Start(Action<MeshControlPlaneOptions>? configure = null, string? environment = null)
    {
        var controlPlane = new TestControlPlane(
            options =>
            {
                options.Authentication.JoinTokens.Add(new MeshJoinTokenOptions { File = _files.Write("ratings", RatingsToken), Accounts = { "default/ratings" } });
                options.Authentication.JoinTokens.Add(new MeshJoinTokenOptions { File = _files.Write("shop", ShopToken), Accounts = { "shop/*" } });
                options.Authentication.LoopbackTokenFile = _files["loopback"];
                configure?.Invoke(options);
            },
            environment: environment);
        _controlPlanes.Add(controlPlane);
        return controlPlane;
    }

    private static Node Workload(string id, string account, string address = "10.0.0.7:9080", string @namespace = "default")
        => TestNodes.Of(id, $$$"""{"NAMESPACE":"{{{@namespace}}}","SERVICE_ACCOUNT":"{{{account}}}","WORKLOAD_NAME":"{{{id}}}","LABELS":{"app":"{{{account}}}"},"MESH_ADDRESSES":{"http":"{{{address}}}"}}""");

    private static NodeView Connect(TestControlPlane controlPlane, Node node, string? token = null, EndPoint? remote = null)
    {
        remote ??= Elsewhere;
        return (NodeView)controlPlane.Discovery.Connect(
            new AdsConnectionInfo(Interlocked.Increment(ref _connections), remote, false) { Caller = new CallerCredentials { BearerToken = token, Remote = remote } }, node);
    }

    private static string[] Registered(TestControlPlane controlPlane) => [.. controlPlane.Registry.Current.Keys.Order(StringComparer.Ordinal)];

    [Fact]
    public void Who_proves_an_account_registers_as_it_from_anywhere()
    {
        var controlPlane = Start();

        Connect(controlPlane, Workload("ratings-1", "ratings"), RatingsToken);
        Connect(controlPlane, Workload("cart-1", "cart", "10.0.0.8:80", "shop"), ShopToken);

        Registered(controlPlane).ShouldBe(["cart-1", "ratings-1"]);
        controlPlane.Audit.ShouldContain(entry => entry.Contains("registered: node ratings-1 as default/ratings, join token ratings from 10.0.0.7:40000"));
    }

    [Theory]
    [InlineData("ratings", "shop", RatingsToken)]
    [InlineData("reviews", "default", RatingsToken)]
    [InlineData("ratings", "default", ShopToken)]
    [InlineData("cart", "shop2", ShopToken)]
    public void Who_proves_another_account_than_he_says_is_refused(string account, string @namespace, string token)
    {
        var controlPlane = Start();

        var refusal = Should.Throw<RpcException>(() => Connect(controlPlane, Workload("x", account, @namespace: @namespace), token));

        refusal.StatusCode.ShouldBe(StatusCode.PermissionDenied);
        Registered(controlPlane).ShouldBeEmpty();
        controlPlane.Audit.Last().ShouldContain("stream refused: node x");
    }

    [Fact]
    public void A_namespace_is_nobodys_by_saying_so()
    {
        var controlPlane = Start();

        Should.Throw<RpcException>(() => Connect(controlPlane, TestNodes.Of("client", """{"NAMESPACE":"shop"}"""), RatingsToken)).StatusCode.ShouldBe(StatusCode.PermissionDenied);
        Connect(controlPlane, TestNodes.Of("client", """{"NAMESPACE":"default"}"""), RatingsToken).Proxy.MayReadKeys.ShouldBeTrue();
        var unsaid = Connect(controlPlane, TestNodes.Of("client"), RatingsToken);
        (unsaid.Proxy.Namespace, unsaid.Proxy.MayReadKeys).ShouldBe(("default", true));
    }

    [Fact]
    public void A_credential_that_proves_nothing_is_refused_and_none_is_served_as_a_client()
    {
        var controlPlane = Start();

        Should.Throw<RpcException>(() => Connect(controlPlane, Workload("x", "ratings"), "wrong-wrong-wrong-wrong", Loopback)).StatusCode.ShouldBe(StatusCode.Unauthenticated);
        var view = Connect(controlPlane, Workload("x", "ratings"));

        view.Proxy.MayReadKeys.ShouldBeFalse();
        Registered(controlPlane).ShouldBeEmpty();
        controlPlane.Audit.Last().ShouldContain("registration refused: node x as default/ratings");
    }

    [Fact]
    public void Clients_may_have_to_prove_themselves()
    {
        var controlPlane = Start(options => options.Authentication.RequireForClients = true);

        Should.Throw<RpcException>(() => Connect(controlPlane, TestNodes.Of("client"))).StatusCode.ShouldBe(StatusCode.Unauthenticated);
        Should.Throw<RpcException>(() => Connect(controlPlane, TestNodes.Of("client"), remote: Loopback)).StatusCode.ShouldBe(StatusCode.Unauthenticated);
        Connect(controlPlane, TestNodes.Of("client"), RatingsToken);
    }

    [Fact]
    public void Nobody_takes_the_place_of_a_workload_that_has_proven_itself()
    {
        var controlPlane = Start(environment: "Development");
        _files.Write("loopback", "a-token-for-the-user-of-this-machine");
        var ratings = Connect(controlPlane, Workload("ratings-1", "ratings"), RatingsToken);

        // By its account.
        Connect(controlPlane, Workload("evil", "ratings", "127.0.0.1:1"), remote: Loopback);
        Connect(controlPlane, Workload("evil", "ratings", "127.0.0.1:1"), "a-token-for-the-user-of-this-machine", Loopback);
        Registered(controlPlane).ShouldBe(["ratings-1"]);

        // By its id.
        Connect(controlPlane, Workload("ratings-1", "other", "127.0.0.1:1"), remote: Loopback);
        Connect(controlPlane, Workload("ratings-1", "evil", "10.9.9.9:1", "shop"), ShopToken);
        controlPlane.Registry.Current["ratings-1"].Addresses["http"].ToString().ShouldBe("10.0.0.7:9080");
        controlPlane.Registry.Current["ratings-1"].Namespace.ShouldBe("default");

        // A second one with the same credential is another of the same.
        Connect(controlPlane, Workload("ratings-2", "ratings", "10.0.0.9:9080"), RatingsToken);
        Registered(controlPlane).ShouldBe(["ratings-1", "ratings-2"]);

        // What is not taken is for who is on this machine.
        Connect(controlPlane, Workload("reviews-1", "reviews", "127.0.0.1:1"), "a-token-for-the-user-of-this-machine", Loopback).Proxy.MayReadKeys.ShouldBeTrue();
        Registered(controlPlane).ShouldContain("reviews-1");
        ratings.Dispose();
    }

    [Fact]
    public async Task A_user_of_this_machine_gets_no_certificate_of_an_account_that_is_held()
    {
        var controlPlane = Start(environment: "Development");
        _files.Write("loopback", "a-token-for-the-user-of-this-machine");
        var user = new CallerCredentials { BearerToken = "a-token-for-the-user-of-this-machine", Remote = Loopback };
        var request = Requests.New("spiffe://cluster.local/ns/default/sa/ratings");
        var view = Connect(controlPlane, Workload("ratings-1", "ratings"), RatingsToken);

        (await Should.ThrowAsync<RpcException>(() => controlPlane.Issuer.IssueAsync(request, user, default))).StatusCode.ShouldBe(StatusCode.PermissionDenied);

        // Held by the living only.
        view.Dispose();
        await controlPlane.Issuer.IssueAsync(request, user, default);
    }

    [Fact]
    public async Task A_stream_ends_with_what_it_was_opened_with()
    {
        using var root = new TestAuthority("root");
        root.WriteTo(_files, root);
        var controlPlane = Start(options => options.CertificateAuthority.CaCerts = _files.Path);
        var issued = await controlPlane.Issuer.IssueAsync(Requests.New(), new CallerCredentials { BearerToken = RatingsToken, Remote = Elsewhere }, default);
        var credentials = new CallerCredentials { Certificate = Requests.Certificates(issued.Chain)[0], Remote = Elsewhere };

        var view = controlPlane.Discovery.Connect(new AdsConnectionInfo(1, Elsewhere, false) { Caller = credentials }, Workload("ratings-1", "ratings"));
        controlPlane.Time.Advance(TimeSpan.FromHours(23.9));
        view.Expired.IsCancellationRequested.ShouldBeFalse();
        controlPlane.Time.Advance(TimeSpan.FromHours(0.2));

        view.Expired.IsCancellationRequested.ShouldBeTrue();
    }

    [Fact]
    public void Roles_are_denied_unless_they_are_given()
    {
        var admin = _files.Write("admin", "admin-admin-admin-admin-admin");
        var controlPlane = Start(options =>
        {
            options.Authentication.Roles.Add(new MeshRoleBindingOptions { Role = MeshControlPlaneRole.ConfigWriter, TokenFile = admin });
            options.Authentication.Roles.Add(new MeshRoleBindingOptions { Role = MeshControlPlaneRole.StatusReader, Accounts = { "default/ratings" } });
        });
        var stranger = new CallerCredentials { Remote = Elsewhere };
        var local = new CallerCredentials { Remote = Loopback };

        Has(stranger, MeshControlPlaneRole.StatusReader).ShouldBeFalse();
        Has(stranger with { BearerToken = ShopToken }, MeshControlPlaneRole.StatusReader).ShouldBeFalse();
        Has(stranger with { BearerToken = RatingsToken }, MeshControlPlaneRole.StatusReader).ShouldBeTrue();
        Has(stranger with { BearerToken = RatingsToken }, MeshControlPlaneRole.ConfigWriter).ShouldBeFalse();
        Has(stranger with { BearerToken = "admin-admin-admin-admin-admin" }, MeshControlPlaneRole.ConfigWriter).ShouldBeTrue();
        Has(stranger with { BearerToken = "admin-admin-admin-admin-admin" }, MeshControlPlaneRole.StatusReader).ShouldBeTrue();
        Has(local, MeshControlPlaneRole.StatusReader).ShouldBeTrue();
        Has(local, MeshControlPlaneRole.ConfigWriter).ShouldBeFalse();
        Has(local with { BearerToken = "guessed-guessed-guessed" }, MeshControlPlaneRole.StatusReader).ShouldBeFalse();

        bool Has(CallerCredentials caller, MeshControlPlaneRole role) => controlPlane.Roles.Find(caller, role, out _) is not null;
    }

    [Theory]
    [InlineData("Lifetime")]
    [InlineData("MaxLifetime")]
    [InlineData("RootLifetime")]
    [InlineData("CaCerts")]
    [InlineData("JoinTokens:0:File")]
    [InlineData("JoinTokens:0:Accounts")]
    [InlineData("ServiceAccountIssuers:0:JwksFile")]
    [InlineData("Roles:0")]
    public void Settings_that_cannot_work_are_told_by_their_names(string setting)
    {
        var controlPlane = new TestControlPlane(options =>
        {
            var (authority, authentication) = (options.CertificateAuthority, options.Authentication);
            switch (setting)
            {
                case "Lifetime":
                    authority.Lifetime = TimeSpan.FromSeconds(5);
                    break;
                case "MaxLifetime":
                    authority.MaxLifetime = TimeSpan.FromHours(1);
                    break;
                case "RootLifetime":
                    authority.RootLifetime = TimeSpan.FromDays(1);
                    break;
                case "CaCerts":
                    authority.CaCerts = _files["nowhere"];
                    break;
                case "JoinTokens:0:File":
                    authentication.JoinTokens.Add(new MeshJoinTokenOptions { Accounts = { "a/b" } });
                    break;
                case "JoinTokens:0:Accounts":
                    authentication.JoinTokens.Add(new MeshJoinTokenOptions { File = "x", Accounts = { "*" } });
                    break;
                case "ServiceAccountIssuers:0:JwksFile":
                    authentication.ServiceAccountIssuers.Add(new MeshServiceAccountIssuerOptions { Issuer = "x" });
                    break;
                default:
                    authentication.Roles.Add(new MeshRoleBindingOptions());
                    break;
            }
        });
        _controlPlanes.Add(controlPlane);

        Should.Throw<Microsoft.Extensions.Options.OptionsValidationException>(() => controlPlane.Ads).Message.ShouldContain(setting);
    }
}
