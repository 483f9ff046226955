using System.Globalization;
using Envoy.Type.Matcher.V3;
using EnvoyCors = Envoy.Extensions.Filters.Http.Cors.V3.CorsPolicy;
using IstioCors = Istio.Networking.V1Alpha3.CorsPolicy;

namespace Mesh.ControlPlane.Generators;

/// <summary><c>http.corsPolicy</c>: the configuration of Envoy's CORS filter for one route.</summary>
internal static class CorsTranslator
{
    private const uint Always = 100;

    public static EnvoyCors Translate(IstioCors policy)
    {
        var result = new EnvoyCors
        {
            AllowMethods = string.Join(',', policy.AllowMethods),
            AllowHeaders = string.Join(',', policy.AllowHeaders),
            ExposeHeaders = string.Join(',', policy.ExposeHeaders),
            MaxAge = policy.MaxAge?.Seconds.ToString(CultureInfo.InvariantCulture) ?? "",
            AllowCredentials = policy.AllowCredentials,
            FilterEnabled = FractionalPercents.Default(FractionalPercents.Of(Always)),
            ForwardNotMatchingPreflights = policy.UnmatchedPreflights != IstioCors.Types.UnmatchedPreflights.Ignore,
        };
        if (policy.AllowOrigins.Count > 0)
        {
            result.AllowOriginStringMatch.AddRange(policy.AllowOrigins.Select(HeaderMatcherTranslator.ToStringMatcher));
            return result;
        }

#pragma warning disable CS0612 // Istio still accepts it where allowOrigins is absent.
        result.AllowOriginStringMatch.AddRange(policy.AllowOrigin.Select(origin => new StringMatcher { Exact = origin }));
#pragma warning restore CS0612
        return result;
    }
}
