using System.Net;
using Mesh.Client.Tests.Servers;
using Mesh.Xds.Tests.Jwt;
using Microsoft.AspNetCore.Http;

namespace Mesh.EndToEnd.Tests.Security;

/// <summary>From YAML to the answer of a server: tokens whose keys are fetched through the mesh, and an authorizer that is asked about some of the requests.</summary>
public sealed class TokensAndAuthorizersTests
{
    [Fact]
    public async Task A_server_holds_requests_to_its_policies_and_asks_who_must_be_asked()
    {
        using var issuer = new TokenIssuer();
        var fetches = 0;
        var asked = 0;
        await using var keys = await WebServer.StartAsync(context =>
        {
            fetches++;
            return context.Response.WriteAsync(TokenIssuer.KeySet(issuer.RsaKey()));
        });
        await using var authorizer = await WebServer.StartAsync(context =>
        {
            asked++;
            context.Response.StatusCode = context.Request.Headers["x-who"] == "alice" ? 200 : 401;
            return Task.CompletedTask;
        });
        await using var lab = new MeshLab();
        lab.Folder.Save("outside.yaml", Outside("issuer.example.com", keys.Port) + "---\n" + Outside("authorizer.example.com", authorizer.Port));
        lab.Folder.Save("security.yaml", """
            apiVersion: mesh.istio.io/v1alpha1
            kind: MeshConfig
            spec:
              extensionProviders:
              - name: checker
                envoyExtAuthzHttp: {service: authorizer.example.com, port: 80, timeout: 30s, includeRequestHeadersInCheck: [x-who]}
            ---
            apiVersion: security.istio.io/v1
            kind: PeerAuthentication
            metadata: {name: plain}
            spec: {mtls: {mode: DISABLE} }
            ---
            apiVersion: security.istio.io/v1
            kind: RequestAuthentication
            metadata: {name: tokens}
            spec:
              jwtRules:
              - {issuer: issuer, jwksUri: "http://issuer.example.com/keys"}
            ---
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: ask}
            spec:
              action: CUSTOM
              provider: {name: checker}
              rules:
              - to: [{operation: {paths: [/asked] } }]
            ---
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: private}
            spec:
              action: DENY
              rules:
              - to: [{operation: {paths: [/private] } }]
                from: [{source: {notRequestPrincipals: ["*"] } }]
            """);
        await lab.StartControlPlaneAsync();
        await using var orders = await lab.StartWorkloadAsync("orders");
        using var outside = new HttpClient { BaseAddress = orders.Address };
        var good = issuer.Sign(TokenIssuer.Claims());

        (await GetAsync("/")).ShouldBe(HttpStatusCode.OK);
        (await GetAsync("/private")).ShouldBe(HttpStatusCode.Forbidden);
        (await GetAsync("/private", ("authorization", "Bearer " + good))).ShouldBe(HttpStatusCode.OK);
        (await GetAsync("/", ("authorization", "Bearer " + good + "x"))).ShouldBe(HttpStatusCode.Unauthorized);
        (await GetAsync("/", ("authorization", "Bearer " + issuer.Sign(TokenIssuer.Claims(("exp", 1)))))).ShouldBe(HttpStatusCode.Unauthorized);
        (fetches, asked).ShouldBe((1, 0));

        (await GetAsync("/asked")).ShouldBe(HttpStatusCode.Unauthorized);
        (await GetAsync("/asked", ("x-who", "alice"))).ShouldBe(HttpStatusCode.OK);
        (await GetAsync("/%61sked")).ShouldBe(HttpStatusCode.Unauthorized);
        (asked, orders.Served).ShouldBe((3, 3));

        await authorizer.DisposeAsync();
        (await GetAsync("/asked", ("x-who", "alice"))).ShouldBe(HttpStatusCode.Forbidden);
        orders.Served.ShouldBe(3);

        async Task<HttpStatusCode> GetAsync(string path, params (string Name, string Value)[] headers)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(outside.BaseAddress + path[1..], new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
            foreach (var (name, value) in headers)
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }

            using var response = await outside.SendAsync(request).OrHang();
            return response.StatusCode;
        }
    }

    private static string Outside(string host, int port) => $$"""
        apiVersion: networking.istio.io/v1
        kind: ServiceEntry
        metadata: {name: {{host.Split('.')[0]}} }
        spec:
          hosts: [{{host}}]
          ports: [{number: 80, name: http, protocol: HTTP}]
          resolution: STATIC
          location: MESH_EXTERNAL
          endpoints:
          - {address: 127.0.0.1, ports: {http: {{port}} } }

        """;
}
