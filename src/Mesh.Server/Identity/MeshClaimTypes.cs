namespace Mesh.Identity;

/// <summary>
/// The claims that the scheme <see cref="MeshAuthenticationDefaults.AuthenticationScheme"/> makes of what the mesh has verified, named as AuthorizationPolicy
/// names them. The claims of a token have their own names.
/// </summary>
public static class MeshClaimTypes
{
    /// <summary>The workload's identity without its scheme: <c>cluster.local/ns/default/sa/productpage</c>.</summary>
    public const string SourcePrincipal = "source.principal";

    /// <summary>The workload's trust domain: <c>cluster.local</c>.</summary>
    public const string SourceTrustDomain = "source.trustDomain";

    /// <summary>The workload's namespace: <c>default</c>.</summary>
    public const string SourceNamespace = "source.namespace";

    /// <summary>The workload's service account with its namespace: <c>default/productpage</c>.</summary>
    public const string SourceServiceAccount = "source.serviceAccount";

    /// <summary>The issuer and the subject of the token: <c>https://issuer.example/alice</c>.</summary>
    public const string RequestPrincipal = "request.auth.principal";

    /// <summary>Names that only the mesh gives: a claim of a token that has one of them is left out.</summary>
    internal static bool AreOfMesh(string type) => type.StartsWith("source.", StringComparison.OrdinalIgnoreCase) || type.StartsWith("request.auth.", StringComparison.OrdinalIgnoreCase);
}
