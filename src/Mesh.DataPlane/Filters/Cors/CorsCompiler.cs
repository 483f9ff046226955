using Mesh.DataPlane.Matching;
using FilterPolicy = Envoy.Extensions.Filters.Http.Cors.V3.CorsPolicy;
using RoutePolicy = Envoy.Config.Route.V3.CorsPolicy;

namespace Mesh.DataPlane.Filters.Cors;

/// <summary>Compiles the filter's <c>CorsPolicy</c> and the older one of routes, which differ in their name alone.</summary>
internal static class CorsCompiler
{
    private static readonly Fraction Always = new(100, 100);
    private static readonly Fraction Never = new(0, 100);

    public static CorsPolicy Compile(FilterPolicy message, string path, ICollection<string> notes)
        => new(
            Origins(message.AllowOriginStringMatch, path),
            message.AllowMethods,
            message.AllowHeaders,
            message.ExposeHeaders,
            message.MaxAge,
            message.AllowCredentials,
            message.AllowPrivateNetworkAccess,
            message.ForwardNotMatchingPreflights,
            FilterFraction.Compile(message.FilterEnabled, path + ".filter_enabled", notes) ?? Always,
            FilterFraction.Compile(message.ShadowEnabled, path + ".shadow_enabled", notes) ?? Never);

    public static CorsPolicy Compile(RoutePolicy message, string path)
        => new(
            Origins(message.AllowOriginStringMatch, path),
            message.AllowMethods,
            message.AllowHeaders,
            message.ExposeHeaders,
            message.MaxAge,
            message.AllowCredentials,
            message.AllowPrivateNetworkAccess,
            message.ForwardNotMatchingPreflights,
            FilterFraction.Compile(message.FilterEnabled, path + ".filter_enabled", []) ?? Always,
            FilterFraction.Compile(message.ShadowEnabled, path + ".shadow_enabled", []) ?? Never);

    private static StringMatcher[] Origins(IReadOnlyList<Envoy.Type.Matcher.V3.StringMatcher> messages, string path)
        => [.. messages.Select((m, i) => MatcherCompiler.String(m, $"{path}.allow_origin_string_match[{i}]"))];
}
