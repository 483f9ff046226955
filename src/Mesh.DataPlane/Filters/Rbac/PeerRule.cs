using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>
/// Looks at the names of the peer's certificate: URIs, then DNS names, then the subject. Only a certificate that was accepted has names. What allows
/// takes the first kind that there is and, of several URIs, wants each: a second one or a subject that looks like an identity gains nothing.
/// </summary>
/// <param name="matcher">What a name has to be; <see langword="null"/> when any peer will do that has proven who it is.</param>
/// <param name="lenient">Any name of any kind will do.</param>
internal sealed class PeerRule(StringMatcher? matcher, bool lenient) : RbacRule
{
    public override bool IsMatch(scoped in RbacRequest request)
    {
        if (request.Connection is not { IsTls: true } connection)
        {
            return false;
        }

        if (matcher is null)
        {
            return lenient || connection.IsMutualTls;
        }

        return lenient ? HasAny(connection, matcher) : connection.IsMutualTls && Has(connection, matcher);
    }

    public override RbacKeySet? Keys(RbacKeyCosts costs) => costs.SetOf(RbacKey.Of(RbacKeyKind.Principal, matcher));

    public override void AddKeys(RbacKeyCosts costs) => costs.Add(RbacKey.Of(RbacKeyKind.Principal, matcher));

    private static bool HasAny(ConnectionFacts connection, StringMatcher matcher)
        => IsAny(connection.UriNames, matcher) || IsAny(connection.DnsNames, matcher) || matcher.IsMatch(connection.Subject);

    private static bool Has(ConnectionFacts connection, StringMatcher matcher)
    {
        var uris = connection.UriNames;
        if (uris.Count == 0)
        {
            return connection.DnsNames.Count > 0 ? IsAny(connection.DnsNames, matcher) : matcher.IsMatch(connection.Subject);
        }

        for (var i = 0; i < uris.Count; i++)
        {
            if (!matcher.IsMatch(uris[i]))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsAny(IReadOnlyList<string> names, StringMatcher matcher)
    {
        for (var i = 0; i < names.Count; i++)
        {
            if (matcher.IsMatch(names[i]))
            {
                return true;
            }
        }

        return false;
    }
}
