using Istio.Security.V1Beta1;

namespace Mesh.ControlPlane.Config.Validation;

internal static class AuthorizationSourceValidator
{
    public static void Validate(Source source, string path, bool isCustom, ValidationContext context)
    {
        if (source.CalculateSize() == 0)
        {
            context.Error(path, "`from.source` must not be empty: say who it is, or leave the source out.");
        }

        var named = source.Principals.Count + source.NotPrincipals.Count + source.Namespaces.Count + source.NotNamespaces.Count;
        if (named > 0 && source.ServiceAccounts.Count + source.NotServiceAccounts.Count > 0)
        {
            context.Error(path, "cannot set serviceAccounts with namespaces or principals: a service account says its namespace itself, as namespace/name.");
        }

        foreach (var (name, values, check) in Fields(source))
        {
            check(values, $"{path}.{name}", context);
            if (isCustom && values.Count > 0 && name is not ("ipBlocks" or "notIpBlocks" or "remoteIpBlocks" or "notRemoteIpBlocks"))
            {
                context.Error($"{path}.{name}", $"From.{char.ToUpperInvariant(name[0])}{name[1..]} is currently not supported with CUSTOM action.");
            }
        }
    }

    /// <summary>Whether it asks for something that a connection has, too.</summary>
    public static bool IsOfConnections(Source source)
        => Fields(source).Any(field => field.Values.Count > 0 && field.Name is not ("requestPrincipals" or "notRequestPrincipals"));

    private static IEnumerable<(string Name, IReadOnlyList<string> Values, Action<IReadOnlyList<string>, string, ValidationContext> Check)> Fields(Source source) =>
    [
        ("principals", source.Principals, AuthorizationValues.NotEmpty),
        ("notPrincipals", source.NotPrincipals, AuthorizationValues.NotEmpty),
        ("requestPrincipals", source.RequestPrincipals, AuthorizationValues.NotEmpty),
        ("notRequestPrincipals", source.NotRequestPrincipals, AuthorizationValues.NotEmpty),
        ("namespaces", source.Namespaces, AuthorizationValues.NotEmpty),
        ("notNamespaces", source.NotNamespaces, AuthorizationValues.NotEmpty),
        ("serviceAccounts", source.ServiceAccounts, AuthorizationValues.ServiceAccounts),
        ("notServiceAccounts", source.NotServiceAccounts, AuthorizationValues.ServiceAccounts),
        ("ipBlocks", source.IpBlocks, AuthorizationValues.Addresses),
        ("notIpBlocks", source.NotIpBlocks, AuthorizationValues.Addresses),
        ("remoteIpBlocks", source.RemoteIpBlocks, AuthorizationValues.Addresses),
        ("notRemoteIpBlocks", source.NotRemoteIpBlocks, AuthorizationValues.Addresses),
        ("trustDomains", source.TrustDomains, AuthorizationValues.TrustDomains),
        ("notTrustDomains", source.NotTrustDomains, AuthorizationValues.TrustDomains),
    ];
}
