using Envoy.Config.Rbac.V3;
using Envoy.Type.Matcher.V3;
using Istio.Security.V1Beta1;
using Mesh.ControlPlane.Model.Policies;

namespace Mesh.ControlPlane.Generators.Authorization;

/// <summary>Who it is: sources, and the conditions that ask about them.</summary>
/// <param name="namespace">The policy's namespace, which is that of service accounts without one.</param>
/// <param name="trustDomains">The mesh's trust domains.</param>
/// <param name="isHttp">Whether there are requests, and not connections only.</param>
internal sealed class PrincipalTests(string @namespace, TrustDomains trustDomains, bool isHttp)
{
    private const string Spiffe = "spiffe://";

    public static Principal Any { get; } = new() { Any = true };

    public static Principal And(IEnumerable<Principal> ids) => new() { AndIds = new Principal.Types.Set { Ids = { ids } } };

    public static Principal Not(Principal id) => new() { NotId = id };

    /// <summary>In Istio's order.</summary>
    public IEnumerable<RuleTest<Principal>> Of(Source source)
    {
        yield return Principals(source.Principals, source.NotPrincipals);
        yield return RequestPrincipals(source.RequestPrincipals, source.NotRequestPrincipals);
        yield return Test(source.ServiceAccounts, source.NotServiceAccounts, ServiceAccount);
        yield return Domains(source.TrustDomains, source.NotTrustDomains);
        yield return Test(source.Namespaces, source.NotNamespaces, Namespace);
        yield return Test(source.RemoteIpBlocks, source.NotRemoteIpBlocks, value => new Principal { RemoteIp = PermissionTests.AddressRange(value) });
        yield return Test(source.IpBlocks, source.NotIpBlocks, value => new Principal { DirectRemoteIp = PermissionTests.AddressRange(value) });
    }

    /// <returns><see langword="null"/> for a condition that asks what is done.</returns>
    public RuleTest<Principal>? Of(Condition condition)
    {
        var (values, notValues) = (condition.Values, condition.NotValues);
        return condition.Key switch
        {
            AuthorizationKeys.SourceIp => Test(values, notValues, value => new Principal { DirectRemoteIp = PermissionTests.AddressRange(value) }),
            AuthorizationKeys.RemoteIp => Test(values, notValues, value => new Principal { RemoteIp = PermissionTests.AddressRange(value) }),
            AuthorizationKeys.SourceNamespace => Test(values, notValues, Namespace),
            AuthorizationKeys.SourceTrustDomain => Domains(values, notValues),
            AuthorizationKeys.SourceServiceAccount => Test(values, notValues, ServiceAccount),
            AuthorizationKeys.SourcePrincipal => Principals(values, notValues),
            AuthorizationKeys.RequestPrincipal => RequestPrincipals(values, notValues),
            AuthorizationKeys.RequestAudiences => Claims(["aud"], values, notValues),
            AuthorizationKeys.RequestPresenter => Claims(["azp"], values, notValues),
            ['r', .. var rest] when rest.StartsWith(AuthorizationKeys.RequestHeaders[1..], StringComparison.Ordinal)
                && AuthorizationKeys.Name(condition.Key[AuthorizationKeys.RequestHeaders.Length..]) is { } header
                => Test(values, notValues, value => isHttp ? new Principal { Header = StringMatchers.Header(header, value) } : null),
            ['r', .. var rest] when rest.StartsWith(AuthorizationKeys.RequestClaims[1..], StringComparison.Ordinal)
                && AuthorizationKeys.NestedNames(condition.Key[AuthorizationKeys.RequestClaims.Length..]) is { } claims
                => Claims(claims, values, notValues),
            _ => null,
        };
    }

    private RuleTest<Principal> Principals(IReadOnlyList<string> values, IReadOnlyList<string> notValues)
        => Test([.. trustDomains.ExpandPrincipals(values)], [.. trustDomains.ExpandPrincipals(notValues)], value => Authenticated(StringMatchers.Of(value, Spiffe)));

    private RuleTest<Principal> Domains(IReadOnlyList<string> values, IReadOnlyList<string> notValues)
        => Test([.. trustDomains.ExpandDomains(values)], [.. trustDomains.ExpandDomains(notValues)], TrustDomain);

    private RuleTest<Principal> RequestPrincipals(IReadOnlyList<string> values, IReadOnlyList<string> notValues)
        => new(values, notValues, all => !isHttp ? null : all.Count == 1 ? RequestPrincipal(all[0]) : Or(all.Select(RequestPrincipal)), Not);

    private RuleTest<Principal> Claims(string[] claims, IReadOnlyList<string> values, IReadOnlyList<string> notValues)
        => new(values, notValues, all => isHttp ? Metadata(MetadataMatchers.Claims(claims, all)) : null, Not);

    private static RuleTest<Principal> Test(IReadOnlyList<string> values, IReadOnlyList<string> notValues, Func<string, Principal?> of)
        => new(
            values,
            notValues,
            all =>
            {
                var ids = all.Select(of).OfType<Principal>().ToArray();
                return ids.Length == 0 ? null : Or(ids);
            },
            Not);

    private static Principal Or(IEnumerable<Principal> ids) => new() { OrIds = new Principal.Types.Set { Ids = { ids } } };

    private static Principal Authenticated(StringMatcher name) => new() { Authenticated = new Principal.Types.Authenticated { PrincipalName = name } };

#pragma warning disable CS0612 // Istio says metadata in the older field, which every Envoy and gRPC reads.
    private static Principal Metadata(MetadataMatcher metadata) => new() { Metadata = metadata };
#pragma warning restore CS0612

    private static Principal Namespace(string value)
        => Authenticated(StringMatchers.Regex($".*/ns/{string.Join(".*", value.Split('*').Select(StringMatchers.Quote))}/.*"));

    /// <summary>Other pairs may stand in the identity around the two; an account of which this one is the beginning is another.</summary>
    private Principal ServiceAccount(string value)
    {
        var slash = value.IndexOf('/', StringComparison.Ordinal);
        var (owner, name) = slash < 0 ? (@namespace, value) : (value[..slash], value[(slash + 1)..]);
        return Authenticated(StringMatchers.Regex($"spiffe://.+/ns/{StringMatchers.Quote(owner)}/(.+/|)sa/{StringMatchers.Quote(name)}(/.+)?"));
    }

    private static Principal TrustDomain(string value)
    {
        var star = value.IndexOf('*', StringComparison.Ordinal);
        return Authenticated(value == "*"
            ? StringMatchers.Prefix(Spiffe)
            : star < 0
                ? StringMatchers.Prefix($"{Spiffe}{value}/")
                : StringMatchers.Regex($"{Spiffe}{StringMatchers.Quote(value[..star])}[^/]*{StringMatchers.Quote(value[(star + 1)..])}/.*"));
    }

    /// <summary><c>issuer/subject</c>, of which the last slash is the one between: an issuer may be a URL.</summary>
    private static Principal RequestPrincipal(string value)
    {
        var slash = value.LastIndexOf('/');
        var (issuer, subject) = slash < 0 ? (value, "") : (value[..slash], value[(slash + 1)..]);
        var (iss, sub) = value switch
        {
            "*" => (StringMatchers.Present(), StringMatchers.Present()),
            ['*', ..] when slash < 0 => (StringMatchers.Present(), StringMatchers.Suffix(value[1..])),
            ['*', ..] => (issuer == "*" ? StringMatchers.Present() : StringMatchers.Suffix(issuer[1..]), StringMatchers.Exact(subject)),
            [.., '*'] when slash < 0 => (StringMatchers.Prefix(value[..^1]), StringMatchers.Present()),
            [.., '*'] => (StringMatchers.Exact(issuer), subject == "*" ? StringMatchers.Present() : StringMatchers.Prefix(subject[..^1])),
            _ => (StringMatchers.Exact(issuer), StringMatchers.Exact(subject)),
        };
        return And([Metadata(MetadataMatchers.Claim("iss", iss)), Metadata(MetadataMatchers.Claim("sub", sub))]);
    }
}
