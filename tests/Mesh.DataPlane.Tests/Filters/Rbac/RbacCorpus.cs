using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Envoy.Config.Rbac.V3;
using Mesh.DataPlane.Inbound;

namespace Mesh.DataPlane.Tests.Filters.Rbac;

/// <summary>
/// A thousand policies as a large mesh has them: 400 by principal, 400 by path prefix, 150 by method and path, 50 by header. A request is matched by
/// the last of them by name.
/// </summary>
internal static class RbacCorpus
{
    public const int Size = 1000;

    /// <summary>What the request asks for.</summary>
    public const string Path = "/api/v1/tenant-last/orders/17?page=2";

    public const string Method = "GET";

    public const string Authority = "orders.shop:8080";

    /// <summary>The last policy asks for it.</summary>
    public const string Tenant = "tenant-last";

    public const string Peer = "spiffe://cluster.local/ns/shop/sa/last";

    /// <summary>The kinds that the last policy may be of.</summary>
    public static IReadOnlyList<string> Kinds { get; } = ["principal", "path", "method", "header"];

    public static RBAC Create(string last, RBAC.Types.Action action = RBAC.Types.Action.Allow)
    {
        var rules = new RBAC { Action = action };
        for (var i = 0; i < Size - 1; i++)
        {
            // Names tell nothing of kinds: the index has to keep an order that goes across them.
            rules.Policies[$"ns[shop]-policy[p{i * 617 % (Size - 1):0000}]-rule[0]"] = (i % 20) switch
            {
                < 8 => Principal($"spiffe://cluster.local/ns/team-{i % 40}/sa/account-{i}"),
                < 16 => PathPrefix($"/api/v1/tenant-{i}/"),
                < 19 => MethodAndPath("GET", $"/orders/{i}/status"),
                _ => Header($"tenant-{i}"),
            };
        }

        rules.Policies["ns[shop]-policy[z]-rule[0]"] = last switch
        {
            "principal" => Principal(Peer),
            "path" => PathPrefix("/api/v1/tenant-last/"),
            "method" => MethodAndPath("GET", "/api/v1/tenant-last/orders/17"),
            _ => Header(Tenant),
        };
        return rules;
    }

    /// <summary>A thousand policies of which none says how anything begins.</summary>
    public static RBAC CreateUnindexable()
    {
        var rules = new RBAC();
        for (var i = 0; i < Size; i++)
        {
            rules.Policies[$"p{i:0000}"] = Policy(new Permission { UrlPath = new() { Path = new() { Suffix = i == Size - 1 ? "/17" : $"/item-{i}" } } });
        }

        return rules;
    }

    /// <summary>The connection of the request.</summary>
    public static ConnectionFacts Connect()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=last", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(new Uri(Peer));
        request.CertificateExtensions.Add(names.Build());
        return new ConnectionFacts
        {
            IsTls = true,
            PeerCertificate = request.CreateSelfSigned(new DateTimeOffset(2000, 1, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(2100, 1, 1, 0, 0, 0, TimeSpan.Zero)),
        };
    }

    private static Policy Principal(string name)
        => Policy(new Permission { Any = true }, new Principal { Authenticated = new() { PrincipalName = new() { Exact = name } } });

    private static Policy PathPrefix(string prefix) => Policy(new Permission { UrlPath = new() { Path = new() { Prefix = prefix } } });

    private static Policy MethodAndPath(string method, string path) => Policy(new Permission
    {
        AndRules = new()
        {
            Rules =
            {
                new Permission { Header = new() { Name = ":method", StringMatch = new() { Exact = method } } },
                new Permission { UrlPath = new() { Path = new() { Exact = path } } },
            },
        },
    });

    private static Policy Header(string tenant) => Policy(new Permission { Header = new() { Name = "x-tenant", StringMatch = new() { Exact = tenant } } });

    private static Policy Policy(Permission permission, Principal? principal = null)
        => new() { Permissions = { permission }, Principals = { principal ?? new Principal { Any = true } } };
}
