namespace Mesh.ControlPlane.Generators;

/// <summary>
/// The name under which a client asks for a Secret, as Istio writes it: <c>kubernetes://name</c> for certificate and key,
/// <c>kubernetes://name-cacert</c> for the authorities; <c>kubernetes://namespace/name</c> where the namespace is said.
/// </summary>
/// <param name="Namespace">The Secret's namespace; empty: the client's own.</param>
/// <param name="Name">The name of the Secret.</param>
/// <param name="IsAuthority">Whether its authorities are asked for, and not its certificate with the key.</param>
internal readonly record struct SecretName(string Namespace, string Name, bool IsAuthority)
{
    public const string Scheme = "kubernetes://";
    private const string AuthoritySuffix = "-cacert";

    /// <summary>The certificate and the key that a <c>credentialName</c> means.</summary>
    public static SecretName OfCertificate(string credentialName) => Of(credentialName, isAuthority: false);

    /// <summary>The authorities that a <c>credentialName</c> means.</summary>
    public static SecretName OfAuthority(string credentialName) => Of(credentialName, isAuthority: true);

    /// <summary>Takes a resource's name apart. A Secret that is itself called <c>…-cacert</c> is found as the authorities of the one without.</summary>
    public static bool TryParse(string text, out SecretName name)
    {
        if (!text.StartsWith(Scheme, StringComparison.Ordinal))
        {
            name = default;
            return false;
        }

        var isAuthority = text.EndsWith(AuthoritySuffix, StringComparison.Ordinal);
        name = Of(isAuthority ? text[..^AuthoritySuffix.Length] : text, isAuthority);
        return name.Name.Length > 0;
    }

    /// <summary>The Secret of exactly this name, which Istio prefers to the one without the suffix.</summary>
    public string SuffixedName => Name + AuthoritySuffix;

    public override string ToString()
        => $"{Scheme}{(Namespace.Length > 0 ? Namespace + "/" : "")}{Name}{(IsAuthority ? AuthoritySuffix : "")}";

    private static SecretName Of(string credentialName, bool isAuthority)
    {
        var rest = credentialName.StartsWith(Scheme, StringComparison.Ordinal) ? credentialName[Scheme.Length..] : credentialName;
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? new SecretName("", rest, isAuthority) : new SecretName(rest[..slash], rest[(slash + 1)..], isAuthority);
    }
}
