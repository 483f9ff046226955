using System.Net;
using Google.Protobuf;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Generators;
using Mesh.ControlPlane.Generators.Inbound;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Filters.Rbac;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Tests.Filters.Rbac;

namespace Mesh.ControlPlane.Tests.Generators.Authorization;

/// <summary>From what people write to what is decided: policies become a server's listener, which the data plane reads and holds requests against.</summary>
public class EnforcedPolicyTests
{
    private const string Name = "xds.istio.io/grpc/lds/inbound/0.0.0.0:8080";

    private static readonly ConfigResource Reviews = TestDocuments.Service("reviews", """{"name":"http","port":9080,"targetPort":{"intVal":8080}}""", "\"app\":\"reviews\"");

    [Theory]
    [InlineData("""{"to":[{"operation":{"paths":["/books"]}}]}""", "/books", true)]
    [InlineData("""{"to":[{"operation":{"paths":["/books"]}}]}""", "/books/1", false)]
    [InlineData("""{"to":[{"operation":{"paths":["/books/*"]}}]}""", "/books/1", true)]
    [InlineData("""{"to":[{"operation":{"paths":["*/info"]}}]}""", "/books/info", true)]
    [InlineData("""{"to":[{"operation":{"paths":["*"]}}]}""", "/", true)]
    [InlineData("""{"to":[{"operation":{"paths":["/books/{*}/pages/{**}"]}}]}""", "/books/1/pages/2/3", true)]
    [InlineData("""{"to":[{"operation":{"paths":["/books/{*}/pages"]}}]}""", "/books/1/2/pages", false)]
    [InlineData("""{"to":[{"operation":{"notPaths":["/admin*"]}}]}""", "/admin/x", false)]
    [InlineData("""{"to":[{"operation":{"notPaths":["/admin*"]}}]}""", "/books", true)]
    [InlineData("""{"to":[{"operation":{"methods":["GET","POST"]}}]}""", "/", true)]
    [InlineData("""{"to":[{"operation":{"notMethods":["GET"]}}]}""", "/", false)]
    [InlineData("""{"to":[{"operation":{"hosts":["reviews.example"]}}]}""", "/", true)]
    [InlineData("""{"to":[{"operation":{"hosts":["*.example"]}}]}""", "/", true)]
    [InlineData("""{"to":[{"operation":{"notHosts":["REVIEWS.example"]}}]}""", "/", false)]
    [InlineData("""{"to":[{"operation":{"ports":["8080"]}}]}""", "/", true)]
    [InlineData("""{"to":[{"operation":{"ports":["9999"]}}]}""", "/", false)]
    [InlineData("""{"from":[{"source":{"principals":["cluster.local/ns/shop/sa/last"]}}]}""", "/", true)]
    [InlineData("""{"from":[{"source":{"principals":["*"]}}]}""", "/", true)]
    [InlineData("""{"from":[{"source":{"principals":["*/sa/last"]}}]}""", "/", true)]
    [InlineData("""{"from":[{"source":{"principals":["cluster.local/ns/shop/*"]}}]}""", "/", true)]
    [InlineData("""{"from":[{"source":{"principals":["cluster.local/ns/shop/sa/other"]}}]}""", "/", false)]
    [InlineData("""{"from":[{"source":{"notPrincipals":["cluster.local/ns/shop/sa/last"]}}]}""", "/", false)]
    [InlineData("""{"from":[{"source":{"namespaces":["shop"]}}]}""", "/", true)]
    [InlineData("""{"from":[{"source":{"namespaces":["sho"]}}]}""", "/", false)]
    [InlineData("""{"from":[{"source":{"notNamespaces":["shop"]}}]}""", "/", false)]
    [InlineData("""{"from":[{"source":{"ipBlocks":["10.1.0.0/16"]}}]}""", "/", true)]
    [InlineData("""{"from":[{"source":{"ipBlocks":["192.0.2.7"]}}]}""", "/", false)]
    [InlineData("""{"from":[{"source":{"remoteIpBlocks":["192.0.2.0/24"]}}]}""", "/", true)]
    [InlineData("""{"from":[{"source":{"notRemoteIpBlocks":["192.0.2.0/24"]}}]}""", "/", false)]
    [InlineData("""{"from":[{"source":{"requestPrincipals":["*"]}}]}""", "/", false)]
    [InlineData("""{"when":[{"key":"request.headers[x-tier]","values":["gold"]}]}""", "/", true)]
    [InlineData("""{"when":[{"key":"request.headers[x-tier]","notValues":["gold"]}]}""", "/", false)]
    [InlineData("""{"when":[{"key":"source.namespace","values":["shop"]}]}""", "/", true)]
    [InlineData("""{"when":[{"key":"destination.port","values":["8080"]}]}""", "/", true)]
    [InlineData("""{"when":[{"key":"destination.ip","values":["10.9.0.0/16"]}]}""", "/", true)]
    [InlineData("""{"when":[{"key":"connection.sni","values":["other"]}]}""", "/", false)]
    public void A_rule_allows_and_denies_what_it_says(string rule, string path, bool matches)
    {
        Denying(Request(path), Policy("p", "ALLOW", rule)).ShouldBe(matches ? null : "none");
        Denying(Request(path), Policy("p", "DENY", rule)).ShouldBe(matches ? "ns[default]-policy[p]-rule[0]" : null);
    }

    [Fact]
    public void What_denies_comes_before_what_allows_and_both_are_in_force()
    {
        ConfigResource[] policies =
        [
            Policy("look", "AUDIT", "{}"),
            Policy("no-admin", "DENY", """{"to":[{"operation":{"paths":["/admin*"]}}]}"""),
            Policy("readers", "ALLOW", """{"to":[{"operation":{"methods":["GET"]}}]}"""),
        ];

        Denying(Request("/books"), policies).ShouldBeNull();
        Denying(Request("/admin"), policies).ShouldBe("ns[default]-policy[no-admin]-rule[0]");
        Denying(Request("/books") with { Method = "POST" }, policies).ShouldBe("none");
    }

    [Fact]
    public void A_policy_without_rules_lets_nobody_in() => Denying(Request("/"), TestDocuments.AuthorizationPolicy("nothing", "{}")).ShouldBe("none");

    private static ConfigResource Policy(string name, string action, string rule)
        => TestDocuments.AuthorizationPolicy(name, $$$$"""{"action":"{{{{action}}}}","rules":[{{{{rule}}}}]}""");

    private static TestRequest Request(string path) => new(path, Authority: "reviews.example")
    {
        RemoteAddress = IPAddress.Parse("192.0.2.7"),
        Headers = new() { ["x-tier"] = "gold" },
        Connection = new ConnectionFacts
        {
            IsTls = true,
            PeerCertificate = RbacCorpus.Connect().PeerCertificate,
            RemoteEndPoint = new IPEndPoint(IPAddress.Parse("10.1.2.3"), 40000),
            LocalEndPoint = new IPEndPoint(IPAddress.Parse("10.9.9.9"), 8080),
        },
    };

    /// <returns>The policy that denies; <see langword="null"/> when the request passes.</returns>
    private static string? Denying(TestRequest request, params ConfigResource[] policies)
    {
        InboundListenerName.TryParse(Name, out var address).ShouldBeTrue();
        var listener = InboundListenerGenerator.Generate(new Proxy(ProxyKind.Mesh, "default", new Dictionary<string, string> { ["app"] = "reviews" }, workload: null), new TestMesh([Reviews, .. policies]).Config, Name, address)!;
        var decoded = (ListenerResource)new ListenerType(FilterTypes.BuiltIn).Decode(listener.ToByteString(), out _);
        foreach (var filter in decoded.Inbound!.All.First(chain => chain.Http is not null).Http!.Filters)
        {
            if (((RbacSettings)filter.Config).Rules?.Decide(new RbacRequest(Mesh.DataPlane.Tests.Matching.FakeHeaders.View(request.Path, request.Headers, request.Method, request.Authority), request.Connection, request.RemoteAddress, null)) is { IsAllowed: false } verdict)
            {
                return verdict.Policy ?? "none";
            }
        }

        return null;
    }
}
