namespace Mesh.ControlPlane;

/// <summary>Who issues tokens of service accounts (JWT) whose subject is <c>system:serviceaccount:namespace:account</c>.</summary>
public sealed class MeshServiceAccountIssuerOptions
{
    /// <summary>The tokens' <c>iss</c>, for example <c>https://kubernetes.default.svc.cluster.local</c>.</summary>
    public string Issuer { get; set; } = "";

    /// <summary>The file with the issuer's public keys (JWKS), as a cluster shows them under <c>/openid/v1/jwks</c>. Keys that change are in force at once.</summary>
    public string JwksFile { get; set; } = "";

    /// <summary>For whom a token must be meant: one of these must be in its <c>aud</c>.</summary>
    /// <value>Empty by default, which stands for <c>istio-ca</c>.</value>
    public IList<string> Audiences { get; } = [];
}
