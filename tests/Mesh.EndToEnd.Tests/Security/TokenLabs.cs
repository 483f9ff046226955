using Mesh.ControlPlane.Issuers;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.EndToEnd.Tests.Security;

/// <summary>Requests that carry a token, and those that do not.</summary>
public sealed class TokenLabs
{
    private const string Page = "http://productpage.default:9080/productpage";

    [Fact]
    [Trait("Lab", "A3-25")]
    public async Task A_page_for_those_whose_token_has_the_right_issuer()
    {
        var key = LabTokens.CreateKey();
        await using var mesh = await PodMesh.StartAsync(LabYaml.Service("productpage", 9080) + $$"""
            apiVersion: security.istio.io/v1beta1
            kind: RequestAuthentication
            metadata: {name: productpage-jwt, namespace: default}
            spec:
              selector: {matchLabels: {app: productpage} }
              jwtRules:
              - forwardOriginalToken: true
                issuer: qjoly@a-cup-of.coffee
                jwks: '{{key.Jwks}}'
            ---
            apiVersion: security.istio.io/v1beta1
            kind: AuthorizationPolicy
            metadata: {name: productpage-jwt, namespace: default}
            spec:
              selector: {matchLabels: {app: productpage} }
              action: ALLOW
              rules: [{when: [{key: "request.auth.claims[iss]", values: ["qjoly@a-cup-of.coffee"]}]}]
            """);
        await mesh.AddMeshPodAsync("productpage", LabPods.Header("authorization"));
        var gateway = (await mesh.AddMeshPodAsync("istio-ingressgateway", @namespace: "istio-system")).Client;

        // The lab's "exp" is in milliseconds: a number like any other, only later.
        var token = key.Sign("""{"iss":"qjoly@a-cup-of.coffee","sub":"admin","exp":1782191719000}""");
        (await gateway.AskAsync(Page)).Status.ShouldBe(403);
        var let = await gateway.AskAsync(Page, ("authorization", "Bearer " + token));
        (let.Status, let.Body).ShouldBe((200, "Bearer " + token));

        // A gateway says how it was called itself.
        var refused = await gateway.AskAsync(Page, ("authorization", $"Bearer a-cup{token}of-coffee"), ("x-forwarded-proto", "http"));
        refused.Status.ShouldBe(401);
        refused.Headers["www-authenticate"].ShouldBe($"Bearer realm=\"{Page}\", error=\"invalid_token\"");
        refused.Headers["content-type"].ShouldBe("text/plain");
        (await gateway.AskAsync(HttpMethod.Head, Page, ("authorization", "Bearer " + token))).Status.ShouldBe(200);
    }

    [Fact]
    [Trait("Lab", "P15")]
    public async Task No_token_is_denied_a_bad_one_rejected_and_a_good_one_let_in()
    {
        var key = LabTokens.CreateKey();
        await using var mesh = await PodMesh.StartAsync(LabYaml.Service("hello-world") + $$"""
            apiVersion: security.istio.io/v1
            kind: RequestAuthentication
            metadata: {name: jwt, namespace: default}
            spec:
              selector: {matchLabels: {app: hello-world} }
              jwtRules: [{issuer: testing@secure.istio.io, jwks: '{{key.Jwks}}'}]
            ---
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: require-jwt, namespace: default}
            spec:
              selector: {matchLabels: {app: hello-world} }
              action: ALLOW
              rules: [{from: [{source: {requestPrincipals: ["*"]} }]}]
            """);
        await mesh.AddMeshAppAsync("hello-world");
        var curl = (await mesh.AddMeshPodAsync("curl")).Client;
        const string Uri = "http://hello-world.default.svc.cluster.local/";
        var stranger = LabTokens.CreateKey();
        const string Claims = """{"iss":"testing@secure.istio.io","sub":"testing@secure.istio.io","exp":4102444800}""";

        (await curl.AskAsync(Uri)).Status.ShouldBe(403);
        (await curl.AskAsync(Uri, ("authorization", "Bearer " + stranger.Sign(Claims)))).Status.ShouldBe(401);
        (await curl.AskAsync(Uri, ("authorization", "Bearer " + key.Sign(Claims)))).Body.ShouldBe("Hello World");
    }

    [Fact]
    [Trait("Lab", "C8")]
    public async Task Keys_are_fetched_from_where_a_rule_says()
    {
        var key = LabTokens.CreateKey();
        await using var keys = await Pod.StartAsync("jwks", "v1", LabPods.Text(key.Jwks));
        await using var mesh = await PodMesh.StartAsync($$"""
            apiVersion: security.istio.io/v1beta1
            kind: RequestAuthentication
            metadata: {name: jwt-example, namespace: istio-system}
            spec:
              selector: {matchLabels: {istio: ingressgateway} }
              jwtRules: [{issuer: testing@secure.istio.io, jwksUri: "http://127.0.0.1:{{keys.Port}}/jwks.json"}]
            ---
            """ + "\n" + LabYaml.Service("istio-ingressgateway", @namespace: "istio-system"));
        await mesh.AddMeshPodAsync("istio-ingressgateway", @namespace: "istio-system", labels: [("istio", "ingressgateway")]);
        var curl = (await mesh.AddMeshPodAsync("curl")).Client;
        const string Uri = "http://istio-ingressgateway.istio-system/";
        const string Claims = """{"iss":"testing@secure.istio.io","sub":"testing@secure.istio.io","exp":4102444800}""";

        (await curl.AskAsync(Uri)).Status.ShouldBe(200);
        (await curl.AskAsync(Uri, ("authorization", "Bearer " + key.Sign(Claims)))).Status.ShouldBe(200);
        (await curl.AskAsync(Uri, ("authorization", "Bearer " + LabTokens.CreateKey().Sign(Claims)))).Status.ShouldBe(401);
    }

    [Fact]
    public async Task Keys_are_fetched_from_where_an_issuer_publishes_them_and_until_that_is_known_its_tokens_are_refused()
    {
        var key = LabTokens.CreateKey();
        await using var issuer = await Pod.StartAsync("issuer", "v1");
        issuer.Answer(503);
        var name = $"http://127.0.0.1:{issuer.Port}/realms/shop";
        var token = ("authorization", "Bearer " + key.Sign($$"""{"iss":"{{name}}","sub":"somebody","exp":4102444800}"""));
        await using var mesh = await PodMesh.StartAsync(LabYaml.Service("hello-world"));
        var discovery = mesh.ControlPlane.GetRequiredService<OpenIdDiscovery>();
        await ChangeAsync(() => mesh.ApplyAsync($$"""
            apiVersion: security.istio.io/v1
            kind: RequestAuthentication
            metadata: {name: jwt, namespace: default}
            spec:
              selector: {matchLabels: {app: hello-world} }
              jwtRules: [{issuer: "{{name}}"}]
            """));
        await mesh.AddMeshAppAsync("hello-world");
        var curl = (await mesh.AddMeshPodAsync("curl")).Client;
        const string Uri = "http://hello-world/";

        (await curl.AskAsync(Uri)).Status.ShouldBe(200);
        var refused = await curl.AskAsync(Uri, token);
        (refused.Status, refused.Body).ShouldBe((401, "Jwks doesn't have any valid public key"));
        mesh.Diagnostics.ShouldHaveSingleItem().ShouldContain($"failed to fetch {name}/.well-known/openid-configuration: it answers with status 503; until it answers, its tokens are refused");

        issuer.Answer(context => context.Response.WriteAsync(context.Request.Path == "/realms/shop/.well-known/openid-configuration"
            ? $$"""{"issuer":"{{name}}","jwks_uri":"http://127.0.0.1:{{issuer.Port}}/keys"}"""
            : key.Jwks));
        await ChangeAsync(() =>
        {
            mesh.Time.Advance(TimeSpan.FromSeconds(2));
            return Task.CompletedTask;
        });
        await mesh.SettleAsync();
        (await curl.AskAsync(Uri, token)).Body.ShouldBe("Hello World");
        (await curl.AskAsync(Uri, ("authorization", "Bearer " + LabTokens.CreateKey().Sign($$"""{"iss":"{{name}}","exp":4102444800}""")))).Status.ShouldBe(401);
        mesh.Diagnostics.ShouldBeEmpty();

        async Task ChangeAsync(Func<Task> act)
        {
            var changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            void Tell() => changed.TrySetResult();
            discovery.Changed += Tell;
            await act();
            await changed.Task.OrHang();
            discovery.Changed -= Tell;
        }
    }
}
