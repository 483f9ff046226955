using Envoy.Type.Matcher.V3;

namespace Mesh.ControlPlane.Generators.Authorization;

/// <summary>What filters have left in the metadata of a request.</summary>
internal static class MetadataMatchers
{
    public const string JwtFilter = "envoy.filters.http.jwt_authn";

    /// <summary>The key under which the payload of a verified token lies.</summary>
    public const string JwtPayload = "payload";

    public static MetadataMatcher Of(string filter, IEnumerable<string> path, ValueMatcher value) => new()
    {
        Filter = filter,
        Path = { path.Select(key => new MetadataMatcher.Types.PathSegment { Key = key }) },
        Value = value,
    };

    /// <summary>A claim that is a string.</summary>
    public static MetadataMatcher Claim(string claim, StringMatcher value) => Of(JwtFilter, [JwtPayload, claim], new ValueMatcher { StringMatch = value });

    /// <summary>A claim that is one of the values, or a list with one of them.</summary>
    public static MetadataMatcher Claims(IEnumerable<string> claims, IReadOnlyList<string> values)
        => Claims(claims, AnyOf([.. values.Select(value => new ValueMatcher { StringMatch = StringMatchers.Of(value) })]));

    /// <summary>A claim that matches, or a list with one that does.</summary>
    public static MetadataMatcher Claims(IEnumerable<string> claims, StringMatcher value) => Claims(claims, new ValueMatcher { StringMatch = value });

    private static MetadataMatcher Claims(IEnumerable<string> claims, ValueMatcher any)
    {
        var list = new ValueMatcher { ListMatch = new ListMatcher { OneOf = any } };
        return Of(JwtFilter, claims.Prepend(JwtPayload), new ValueMatcher { OrMatch = new OrMatcher { ValueMatchers = { list, any } } });
    }

    public static ValueMatcher AnyOf(IReadOnlyList<ValueMatcher> values)
        => values.Count == 1 ? values[0] : new ValueMatcher { OrMatch = new OrMatcher { ValueMatchers = { values } } };

    /// <summary><c>[v]</c> is looked for in a list, <c>v</c> is a string.</summary>
    public static ValueMatcher StringOrList(string value)
        => value.StartsWith('[') && value.EndsWith(']')
            ? new ValueMatcher { ListMatch = new ListMatcher { OneOf = new ValueMatcher { StringMatch = StringMatchers.Of(value.Trim('[', ']')) } } }
            : new ValueMatcher { StringMatch = StringMatchers.Of(value) };
}
