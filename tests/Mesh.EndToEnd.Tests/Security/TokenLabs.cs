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
}
