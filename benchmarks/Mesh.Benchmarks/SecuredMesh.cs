using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Mesh.ControlPlane.Config.Sources;
using Mesh.ControlPlane.Registry;
using Mesh.Xds.Ads;
using Mesh.Xds.Certificates;
using Mesh.Xds.Serving;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.Benchmarks;

/// <summary>
/// A control plane with its authority and three workloads under STRICT mutual TLS: <c>productpage</c> calls <c>plain</c>, of which nothing more is
/// asked, and <c>guarded</c>, which checks a token and a hundred policies.
/// </summary>
internal sealed class SecuredMesh : IAsyncDisposable
{
    private const int Policies = 100;

    private readonly ServiceProvider _controlPlane;
    private readonly List<WebApplication> _apps = [];
    private readonly RSA _key = RSA.Create(2048);

    private SecuredMesh()
    {
        var source = new InMemoryConfigSource(TimeProvider.System);
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<IConfigSource>(source);
        services.AddMeshControlPlane(options =>
        {
            options.RegistrationsFile = "";
            options.CertificateAuthority.Folder = "";
        });
        _controlPlane = services.BuildServiceProvider();
        source.Apply(Yaml());
    }

    /// <summary>The client of productpage.</summary>
    public IServiceProvider Caller => _apps[^1].Services;

    public static async Task<SecuredMesh> StartAsync()
    {
        var mesh = new SecuredMesh();
        foreach (var name in new[] { "plain", "guarded", "productpage" })
        {
            await mesh.StartAsync(name);
        }

        return mesh;
    }

    /// <summary>Calls a service as productpage.</summary>
    public SocketCaller CallerOf(string service)
    {
        var client = Caller.GetRequiredService<IHttpClientFactory>().CreateClient(service);
        if (service == "guarded")
        {
            client.DefaultRequestHeaders.Add("Authorization", "Bearer " + Token());
        }

        return new SocketCaller(client, $"http://{service}:9080{SocketCaller.Path}");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var app in _apps)
        {
            await app.DisposeAsync();
        }

        await _controlPlane.DisposeAsync();
        _key.Dispose();
    }

    private async Task StartAsync(string name)
    {
        var payload = new byte[1024];
        Array.Fill(payload, (byte)' ');
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1));
        builder.Services.AddSingleton<IAdsTransport>(_ => new InProcessAdsTransport(_controlPlane.GetRequiredService<IAdsServer>(), "the benchmark"));
        builder.Services.AddSingleton(_controlPlane.GetRequiredService<ICertificateIssuer>());
        builder.Services.AddHttpClient("");
        builder.AddMesh(mesh =>
        {
            mesh.Workload.Name = name;
            mesh.Workload.ServiceAccount = name;
        });
        var app = builder.Build();
        app.Run(context =>
        {
            context.Response.ContentType = "application/json";
            context.Response.ContentLength = payload.Length;
            return context.Response.Body.WriteAsync(payload).AsTask();
        });
        _apps.Add(app);
        await app.StartAsync();
        var registry = _controlPlane.GetRequiredService<ServiceRegistry>();
        while (registry.Current.Count < _apps.Count)
        {
            await Task.Yield();
        }
    }

    private string Token()
    {
        var signed = $"{Encode("""{"alg":"RS256"}""")}.{Encode("""{"iss":"benchmark","sub":"alice","exp":4102444800,"groups":["readers","writers"]}""")}";
        return $"{signed}.{Base64Url.EncodeToString(_key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))}";

        static string Encode(string json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));
    }

    private string Yaml()
    {
        var key = _key.ExportParameters(includePrivateParameters: false);
        var yaml = new StringBuilder($$"""
            apiVersion: security.istio.io/v1
            kind: PeerAuthentication
            metadata: {name: default, namespace: istio-system}
            spec: {mtls: {mode: STRICT} }
            ---
            apiVersion: security.istio.io/v1
            kind: RequestAuthentication
            metadata: {name: guarded}
            spec:
              selector: {matchLabels: {app: guarded} }
              jwtRules: [{issuer: benchmark, jwks: '{"keys":[{"n":"{{Base64Url.EncodeToString(key.Modulus)}}","e":"{{Base64Url.EncodeToString(key.Exponent)}}","kty":"RSA"}]}'}]
            ---

            """);
        foreach (var service in new[] { "plain", "guarded" })
        {
            yaml.Append(CultureInfo.InvariantCulture, $$"""
                apiVersion: v1
                kind: Service
                metadata: {name: {{service}} }
                spec: {selector: {app: {{service}} }, ports: [{name: http, port: 9080}]}
                ---

                """);
        }

        // The last of them is the one that lets the request in; a few forbid something else.
        for (var i = 0; i < Policies; i++)
        {
            var isLast = i == Policies - 1;
            yaml.Append(CultureInfo.InvariantCulture, $$"""
                apiVersion: security.istio.io/v1
                kind: AuthorizationPolicy
                metadata: {name: policy-{{i:000}} }
                spec:
                  selector: {matchLabels: {app: guarded} }
                  action: {{(i % 10 == 0 ? "DENY" : "ALLOW")}}
                  rules:
                  - from: [{source: {principals: [cluster.local/ns/default/sa/{{(isLast ? "productpage" : $"account-{i}")}}]} }]
                    to: [{operation: {methods: [GET], paths: ["{{(isLast ? "/api/*" : $"/area-{i}/*")}}"]} }]
                    when: [{key: "request.auth.claims[groups]", values: [{{(isLast ? "readers" : $"group-{i}")}}]}]
                ---

                """);
        }

        return yaml.ToString();
    }
}
