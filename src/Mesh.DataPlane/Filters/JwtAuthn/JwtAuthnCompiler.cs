using System.Text;
using Envoy.Config.Core.V3;
using Envoy.Extensions.Filters.Http.JwtAuthn.V3;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Resources;
using Mesh.Xds.Client;
using Mesh.Xds.Jwt;
using Message = Envoy.Extensions.Filters.Http.JwtAuthn.V3.JwtRequirement;

namespace Mesh.DataPlane.Filters.JwtAuthn;

/// <summary>Compiles <c>JwtAuthentication</c>. Whatever is not honoured is refused: a requirement that is left out lets everybody in.</summary>
internal static class JwtAuthnCompiler
{
    private const int MaxDepth = 16;
    private const int DefaultCache = 1000;
    private const int MaxCache = 100_000;
    private const int DefaultCachedLength = 4096;

    // Envoy's default.
    private static readonly TimeSpan DefaultSkew = TimeSpan.FromSeconds(60);

    public static JwtAuthnSettings Compile(JwtAuthentication message, string path, ICollection<string> notes)
    {
        FieldRules.Refuse(message.FilterStateRules is not null, path + ".filter_state_rules");
        if (message.StatPrefix.Length > 0)
        {
            notes.Add($"{path}.stat_prefix is not applied: the filter has no statistics yet");
        }

        var providers = message.Providers
            .OrderBy(p => p.Key, StringComparer.Ordinal)
            .ToDictionary(p => p.Key, p => Compile(p.Key, p.Value, $"{path}.providers[{p.Key}]", notes), StringComparer.Ordinal);
        var named = message.RequirementMap.ToDictionary(
            r => r.Key,
            r => Compile(r.Value, providers, $"{path}.requirement_map[{r.Key}]", 0),
            StringComparer.Ordinal);
        var conditions = new RouteConditionsCache();
        var rules = message.Rules.Select((rule, i) =>
        {
            var at = $"{path}.rules[{i}]";

            // Envoy takes no notice of it here: a rule that is passed over would ask for no token.
            FieldRules.Refuse(rule.Match?.DynamicMetadata.Count > 0, at + ".match.dynamic_metadata");
            var match = RouteMatchCompiler.Compile(rule.Match ?? throw new ResourceRejectedException(at + ".match", "must be set"), conditions, at + ".match");
            var requirement = rule.RequirementTypeCase switch
            {
                RequirementRule.RequirementTypeOneofCase.Requires => Compile(rule.Requires, providers, at + ".requires", 0),
                RequirementRule.RequirementTypeOneofCase.RequirementName => named.TryGetValue(rule.RequirementName, out var found)
                    ? found
                    : throw new ResourceRejectedException(at + ".requirement_name", $"the requirement_map has no '{rule.RequirementName}'"),
                _ => null,
            };
            return (match, requirement);
        });
        return new JwtAuthnSettings([.. providers.Values], [.. rules], named, message.BypassCorsPreflight, message.StripFailureResponse);
    }

    public static JwtAuthnRoute Compile(PerRouteConfig message, string path)
        => message.RequirementSpecifierCase switch
        {
            PerRouteConfig.RequirementSpecifierOneofCase.Disabled when message.Disabled => new JwtAuthnRoute(RequirementName: null),
            PerRouteConfig.RequirementSpecifierOneofCase.RequirementName => new JwtAuthnRoute(message.RequirementName),
            _ => throw new ResourceRejectedException(path, "one of disabled (true) and requirement_name must be set"),
        };

    /// <returns><see langword="null"/> where nothing is required.</returns>
    private static JwtRequirement? Compile(Message message, Dictionary<string, JwtProviderSettings> providers, string path, int depth)
    {
        if (depth > MaxDepth)
        {
            throw new ResourceRejectedException(path, $"is nested more than {MaxDepth} deep");
        }

        switch (message.RequiresTypeCase)
        {
            case Message.RequiresTypeOneofCase.None:
                return null;
            case Message.RequiresTypeOneofCase.ProviderName:
                return new JwtRequirement.Provider(Find(message.ProviderName, path + ".provider_name"), null);
            case Message.RequiresTypeOneofCase.ProviderAndAudiences:
                var named = message.ProviderAndAudiences;
                return new JwtRequirement.Provider(
                    Find(named.ProviderName, path + ".provider_and_audiences.provider_name"),
                    named.Audiences.Count > 0 ? new JwtAudiences(named.Audiences) : null);
            case Message.RequiresTypeOneofCase.RequiresAll:
                return new JwtRequirement.All([.. message.RequiresAll.Requirements
                    .Select((r, i) => Compile(r, providers, $"{path}.requires_all.requirements[{i}]", depth + 1))
                    .OfType<JwtRequirement>()]);
            case Message.RequiresTypeOneofCase.RequiresAny:
                return CompileAny(message.RequiresAny, providers, path + ".requires_any", depth);
            case Message.RequiresTypeOneofCase.AllowMissing:
                return Optional(missing: true, failed: false);
            case Message.RequiresTypeOneofCase.AllowMissingOrFailed:
                return Optional(missing: true, failed: true);
            default:
                throw new ResourceRejectedException(path + ".extract_only_without_validation", "is not supported: it takes claims from tokens that nobody has verified");
        }

        JwtProviderSettings Find(string name, string at)
            => providers.TryGetValue(name, out var provider) ? provider : throw new ResourceRejectedException(at, $"the provider '{name}' is not configured");

        JwtRequirement.Any Optional(bool missing, bool failed)
            => new([.. providers.Values.Select(p => new JwtRequirement.Provider(p, null))], missing, failed);
    }

    private static JwtRequirement? CompileAny(JwtRequirementOrList message, Dictionary<string, JwtProviderSettings> providers, string path, int depth)
    {
        var alternatives = new List<JwtRequirement>();
        var (missing, failed) = (false, false);
        for (var i = 0; i < message.Requirements.Count; i++)
        {
            var alternative = message.Requirements[i];
            switch (alternative.RequiresTypeCase)
            {
                case Message.RequiresTypeOneofCase.AllowMissing:
                    missing = true;
                    break;
                case Message.RequiresTypeOneofCase.AllowMissingOrFailed:
                    (missing, failed) = (true, true);
                    break;
                default:
                    if (Compile(alternative, providers, $"{path}.requirements[{i}]", depth + 1) is not { } requirement)
                    {
                        // One alternative asks for nothing.
                        return null;
                    }

                    alternatives.Add(requirement);
                    break;
            }
        }

        if (alternatives.Count == 0)
        {
            alternatives.AddRange(providers.Values.Select(p => new JwtRequirement.Provider(p, null)));
        }

        return new JwtRequirement.Any([.. alternatives], missing, failed);
    }

    private static JwtProviderSettings Compile(string name, JwtProvider message, string path, ICollection<string> notes)
    {
        var cache = message.JwtCacheConfig is { JwtCacheSize: > 0 and var size } ? (int)Math.Min(size, MaxCache) : DefaultCache;
        var longest = message.JwtCacheConfig is { JwtMaxTokenSize: > 0 and var bytes } ? (int)Math.Min(bytes, CompactJwt.MaxLength) : DefaultCachedLength;
        foreach (var header in message.FromHeaders.Select(h => h.Name).Concat(message.ClaimToHeaders.Select(c => c.HeaderName)).Append(message.ForwardPayloadHeader))
        {
            if (header.Length > 0 && !HeaderName.IsValid(header))
            {
                throw new ResourceRejectedException(path, $"'{header}' is not the name of a header");
            }
        }

        return new JwtProviderSettings
        {
            Name = name,
            Issuer = message.Issuer,
            Audiences = new JwtAudiences(message.Audiences),
            Locations = new JwtLocations(message),
            Keys = message.JwksSourceSpecifierCase switch
            {
                JwtProvider.JwksSourceSpecifierOneofCase.LocalJwks => Local(message.LocalJwks, path + ".local_jwks"),
                JwtProvider.JwksSourceSpecifierOneofCase.RemoteJwks => new RemoteKeys(RemoteJwksCompiler.Compile(message.RemoteJwks, path + ".remote_jwks", notes)),
                _ => throw new ResourceRejectedException(path, "one of remote_jwks and local_jwks must be set"),
            },
            Verified = new VerifiedTokens(cache, longest),
            Subjects = message.Subjects is { } subjects ? MatcherCompiler.String(subjects, path + ".subjects") : null,
            RequiresExpiration = message.RequireExpiration,
            MaxLifetime = message.MaxLifetime?.ToTimeSpan(),
            ClockSkew = message.ClockSkewSeconds > 0 ? TimeSpan.FromSeconds(message.ClockSkewSeconds) : DefaultSkew,
            Forwards = message.Forward,
            PayloadHeader = message.ForwardPayloadHeader,
            PadsPayload = message.PadForwardPayloadHeader,
            ClaimHeaders = [.. message.ClaimToHeaders.Select(c => (c.HeaderName, c.ClaimName))],
            PayloadMetadata = message.PayloadInMetadata,
            HeaderMetadata = message.HeaderInMetadata,
            FailedStatusMetadata = message.FailedStatusInMetadata,
            SpaceDelimitedClaims = [.. message.NormalizePayloadInMetadata?.SpaceDelimitedClaims ?? []],
            ClearsRouteCache = message.ClearRouteCache,
        };
    }

    private static LocalJwks Local(DataSource source, string path)
    {
        byte[] json;
        try
        {
            json = source.SpecifierCase switch
            {
                DataSource.SpecifierOneofCase.InlineString => Encoding.UTF8.GetBytes(source.InlineString),
                DataSource.SpecifierOneofCase.InlineBytes => source.InlineBytes.ToByteArray(),
                DataSource.SpecifierOneofCase.Filename => File.ReadAllBytes(source.Filename),
                DataSource.SpecifierOneofCase.EnvironmentVariable => Encoding.UTF8.GetBytes(
                    Environment.GetEnvironmentVariable(source.EnvironmentVariable)
                        ?? throw new ResourceRejectedException(path + ".environment_variable", $"there is no environment variable {source.EnvironmentVariable}")),
                _ => throw new ResourceRejectedException(path, "names no source"),
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new ResourceRejectedException(path + ".filename", e.Message);
        }

        var status = JsonWebKeySet.Parse(json, out var keys);
        // As Envoy: a set without a key that can be used is one by which nothing verifies.
        return keys is null && status != JwtStatus.NoValidKeys ? throw new ResourceRejectedException(path, status.Text) : new LocalJwks(keys);
    }
}
