using Envoy.Config.Core.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Http.JwtAuthn.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf.WellKnownTypes;
using Istio.Security.V1Beta1;
using Mesh.ControlPlane.Generators.Authorization;
using Mesh.ControlPlane.Model;
using Mesh.ControlPlane.Model.Policies;

namespace Mesh.ControlPlane.Generators.Inbound;

/// <summary>RequestAuthentications as one <c>jwt_authn</c> filter, in Istio's shape: a token that is there must be valid, and there may be none.</summary>
internal static class JwtTranslator
{
    private static readonly Duration DefaultTimeout = new() { Seconds = 5 };
    private const string NoKeys = """{"keys":[]}""";

    private static readonly Duration CacheDuration = new() { Seconds = 300 };

    /// <summary>Claims that are lists in the form of one string, in every provider.</summary>
    private static readonly string[] SpaceDelimited = ["permission", "scope"];

    /// <returns>The filter, or nothing where no tokens are asked for.</returns>
    public static IEnumerable<HttpFilter> Filters(Proxy proxy, ConfigIndex config, WorkloadPolicies policies)
    {
        var rules = policies.JwtRules;
        if (rules.Count == 0)
        {
            yield break;
        }

        var filter = new JwtAuthentication { BypassCorsPreflight = true };
        var each = new List<JwtRequirement>();
        for (var i = 0; i < rules.Count; i++)
        {
            var name = $"origins-{i}";
            filter.Providers[name] = Provider(rules[i], proxy, config);
            each.Add(new JwtRequirement { ProviderName = name });
        }

        var optional = each.Select(provider => Any(provider, new JwtRequirement { AllowMissing = new Empty() })).ToArray();

        // One token may come where several providers look for theirs: then that of one provider will do. Elsewhere each that is there must be valid.
        filter.Rules.Add(new RequirementRule
        {
            Match = new RouteMatch { Prefix = "/" },
            Requires = each.Count == 1
                ? optional[0]
                : Any([.. each, new JwtRequirement { RequiresAll = new JwtRequirementAndList { Requirements = { optional } } }]),
        });
        yield return new HttpFilter { Name = MetadataMatchers.JwtFilter, TypedConfig = Google.Protobuf.WellKnownTypes.Any.Pack(filter) };
    }

    private static JwtRequirement Any(params JwtRequirement[] requirements)
        => new() { RequiresAny = new JwtRequirementOrList { Requirements = { requirements } } };

    private static JwtProvider Provider(JWTRule rule, Proxy proxy, ConfigIndex config)
    {
        var provider = new JwtProvider
        {
            Issuer = rule.Issuer,
            Audiences = { rule.Audiences },
            Forward = rule.ForwardOriginalToken,
            ForwardPayloadHeader = rule.OutputPayloadToHeader,
            PayloadInMetadata = MetadataMatchers.JwtPayload,
            NormalizePayloadInMetadata = new JwtProvider.Types.NormalizePayload
            {
                SpaceDelimitedClaims = { rule.SpaceDelimitedClaims.Concat(SpaceDelimited).Distinct().Order(StringComparer.Ordinal) },
            },
            ClaimToHeaders = { rule.OutputClaimToHeaders.Select(output => new JwtClaimToHeader { HeaderName = output.Header, ClaimName = output.Claim }) },
            FromHeaders = { rule.FromHeaders.Select(location => new JwtHeader { Name = location.Name, ValuePrefix = location.Prefix }) },
            FromParams = { rule.FromParams },
            FromCookies = { rule.FromCookies },
        };
        if (rule.JwksUri.Length > 0 && JwksUri.TryParse(rule.JwksUri, out var uri, out _))
        {
            provider.RemoteJwks = new RemoteJwks
            {
                HttpUri = new HttpUri { Uri = rule.JwksUri, Cluster = JwksClusters.KeyOf(proxy, config, uri).ToString(), Timeout = rule.Timeout ?? DefaultTimeout },
                CacheDuration = CacheDuration,
            };
        }
        else
        {
            // An issuer whose keys are not known has signed nothing.
            provider.LocalJwks = new DataSource { InlineString = rule.Jwks.Length > 0 ? rule.Jwks : NoKeys };
        }

        return provider;
    }
}
