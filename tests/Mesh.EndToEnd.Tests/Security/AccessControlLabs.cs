namespace Mesh.EndToEnd.Tests.Security;

/// <summary>Who may call whom: everybody is refused, then one after the other is let in.</summary>
public sealed class AccessControlLabs
{
    private const string Denied = "RBAC: access denied";
    private const string Frontend = "http://web-frontend.default.svc.cluster.local/";
    private const string Customers = "http://customers.default.svc.cluster.local/";

    [Fact]
    [Trait("Lab", "P14")]
    public async Task Nobody_then_the_gateway_then_the_frontend()
    {
        await using var mesh = await PodMesh.StartAsync(LabYaml.Service("web-frontend") + LabYaml.Service("customers"));
        await mesh.AddMeshAppAsync("customers", account: "customers-v1");
        await mesh.AddMeshAppAsync("web-frontend", account: "web-frontend");
        var gateway = (await mesh.AddMeshPodAsync("istio-ingressgateway", @namespace: "istio-system", account: "istio-ingressgateway-service-account")).Client;
        var curl = (await mesh.AddMeshPodAsync("curl")).Client;
        (await gateway.AskAsync(Frontend)).Body.ShouldContain("Gianni Pouros");

        // 1. An ALLOW policy without rules lets nobody in.
        await mesh.ApplyAsync(SecurityYaml.AuthorizationPolicy("deny-all", "{}"));
        foreach (var (client, uri) in new[] { (gateway, Frontend), (curl, Frontend), (curl, Customers) })
        {
            var answer = await client.AskAsync(uri);
            (answer.Status, answer.Body, answer.Headers["content-type"], answer.Headers["content-length"]).ShouldBe((403, Denied, "text/plain", "19"));
        }

        // 2. The gateway may ask the frontend, which may not ask customers.
        await mesh.ApplyAsync(SecurityYaml.AuthorizationPolicy("allow-ingress-frontend", """
            {selector: {matchLabels: {app: web-frontend}}, action: ALLOW, rules: [{from: [
              {source: {namespaces: [istio-system]}},
              {source: {principals: [cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account]}}]}]}
            """));
        (await gateway.AskAsync(Frontend)).Body.ShouldBe("\"Request failed with status code 403\"");
        (await curl.AskAsync(Frontend)).Body.ShouldBe(Denied);

        // 3. The frontend may. Its rule names "source" twice: of the two the last counts, or the pod of curl would get in by its namespace.
        await mesh.ApplyAsync("""
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: allow-web-frontend-customers, namespace: default}
            spec:
              selector: {matchLabels: {app: customers, version: v1}}
              action: ALLOW
              rules:
              - from:
                - source:
                    namespaces: ["default"]
                  source:
                    principals: ["cluster.local/ns/default/sa/web-frontend"]
            """);
        (await gateway.AskAsync(Frontend)).Body.ShouldContain("Gianni Pouros");
        (await curl.AskAsync(Frontend)).Body.ShouldBe(Denied);
        (await curl.AskAsync(Customers)).Body.ShouldBe(Denied);
        mesh.Diagnostics.ShouldContain(diagnostic => diagnostic.Contains("source", StringComparison.Ordinal) && diagnostic.Contains("twice", StringComparison.Ordinal));
    }

    [Fact]
    [Trait("Lab", "L000-24")]
    [Trait("Lab", "L000-25")]
    [Trait("Lab", "L000-26")]
    [Trait("Lab", "L000-27")]
    [Trait("Lab", "L000-28")]
    [Trait("Lab", "L004-20")]
    public async Task Frontend_and_backend_are_opened_by_namespace_by_service_and_by_account()
    {
        await using var mesh = await PodMesh.StartAsync(LabYaml.Service("myapp", 8080) + LabYaml.Service("be", 8080));
        await mesh.AddMeshAppAsync("be", "v2", settings: HelloWorld.Settings("be", "v2"));
        await mesh.AddMeshAppAsync("myapp", "v1", "myapp-sa", HelloWorld.Settings("myapp", "v1"));
        var gateway = (await mesh.AddMeshPodAsync("istio-ingressgateway", @namespace: "istio-system", account: "istio-ingressgateway-service-account")).Client;
        (await gateway.AskAsync(HelloWorld.Version)).Body.ShouldBe("1");

        // 24: on.
        await mesh.ApplyAsync(SecurityYaml.AuthorizationPolicy("default", "{}"));
        var denied = await gateway.AskAsync(HelloWorld.Version);
        (denied.Status, denied.Body, denied.Headers["content-type"], denied.Headers["content-length"]).ShouldBe((403, Denied, "text/plain", "19"));

        // 25: two namespaces may call the frontend; its backend has another label.
        const string Namespaces = """
            {selector: {matchLabels: {app: myapp}}, rules: [{from: [{source: {namespaces: [istio-system, default]}}]}]}
            """;
        await mesh.ApplyAsync(SecurityYaml.AuthorizationPolicy("service-viewer", Namespaces));
        (await gateway.AskAsync(HelloWorld.Version)).Body.ShouldBe("1");
        await BackendShouldBeAsync(403, Denied);

        // 26: off again.
        await mesh.DeleteAsync("AuthorizationPolicy", "service-viewer");
        (await gateway.AskAsync(HelloWorld.Version)).Body.ShouldBe(Denied);

        // 27: the frontend for everybody, reading only.
        await mesh.ApplyAsync(SecurityYaml.AuthorizationPolicy("myapp-viewer", "{selector: {matchLabels: {app: myapp}}, rules: [{to: [{operation: {methods: [GET]}}]}]}"));
        (await gateway.AskAsync(HelloWorld.Version)).Body.ShouldBe("1");
        await BackendShouldBeAsync(403, Denied);

        // 28: the backend for the frontend's account.
        await mesh.ApplyAsync(SecurityYaml.AuthorizationPolicy("be-viewer", """
            {selector: {matchLabels: {app: be}}, rules: [{from: [{source: {principals: [cluster.local/ns/default/sa/myapp-sa]}}], to: [{operation: {methods: [GET]}}]}]}
            """));
        await BackendShouldBeAsync(200, "pod: [be-v2-7f4d]    node: [node-1]");
        (await gateway.AskAsync(HelloWorld.Backend)).Body.ShouldBe(Denied);

        async Task BackendShouldBeAsync(int status, string body)
        {
            var answer = await gateway.AskAsync(HelloWorld.Hostz);
            (answer.Status, answer.Body).ShouldBe((200, $$$"""[{"url":"{{{HelloWorld.Backend}}}","body":"{{{body}}}","statusCode":{{{status}}}}]"""));
        }
    }

    [Fact]
    [Trait("Lab", "C9")]
    public async Task Sources_are_alternatives_and_everything_else_must_hold_too()
    {
        var key = LabTokens.CreateKey();
        await using var mesh = await PodMesh.StartAsync(LabYaml.Service("httpbin", 8000, @namespace: "foo") + $$"""
            apiVersion: security.istio.io/v1
            kind: RequestAuthentication
            metadata: {name: httpbin, namespace: foo}
            spec:
              jwtRules:
              - {issuer: https://accounts.google.com, jwks: '{{key.Jwks}}'}
              - {issuer: https://example.com, jwks: '{{key.Jwks}}'}
            ---
            apiVersion: security.istio.io/v1beta1
            kind: AuthorizationPolicy
            metadata: {name: httpbin, namespace: foo}
            spec:
              selector: {matchLabels: {app: httpbin, version: v1} }
              action: ALLOW
              rules:
              - from:
                - source: {principals: [cluster.local/ns/default/sa/sleep]}
                - source: {namespaces: [dev]}
                to:
                - operation: {methods: [GET]}
                when:
                - key: request.auth.claims[iss]
                  values: ["https://accounts.google.com"]
            """);
        await mesh.AddMeshPodAsync("httpbin", @namespace: "foo");
        var sleep = (await mesh.AddMeshPodAsync("sleep", account: "sleep")).Client;
        var dev = (await mesh.AddMeshPodAsync("tool", @namespace: "dev")).Client;
        var other = (await mesh.AddMeshPodAsync("other")).Client;
        var google = ("authorization", "Bearer " + key.Sign("""{"iss":"https://accounts.google.com","sub":"a","exp":4102444800}"""));
        var example = ("authorization", "Bearer " + key.Sign("""{"iss":"https://example.com","sub":"a","exp":4102444800}"""));

        (await sleep.AskAsync("http://httpbin.foo:8000/", google)).Status.ShouldBe(200);
        (await dev.AskAsync("http://httpbin.foo:8000/", google)).Status.ShouldBe(200);
        (await other.AskAsync("http://httpbin.foo:8000/", google)).Status.ShouldBe(403);
        (await sleep.AskAsync("http://httpbin.foo:8000/", example)).Status.ShouldBe(403);
        (await sleep.AskAsync("http://httpbin.foo:8000/")).Status.ShouldBe(403);
        (await sleep.AskAsync(HttpMethod.Post, "http://httpbin.foo:8000/", google)).Status.ShouldBe(403);
    }
}
