using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Filters;
using Mesh.Xds.Jwt;

namespace Mesh.DataPlane.Filters.JwtAuthn;

/// <summary>Checks the tokens of one request, and puts what they say where their provider wants it.</summary>
internal sealed class JwtAuthenticator(HttpExchange exchange, JwtAuthnCounters counters, FilterServices services)
{
    /// <summary>The namespace of dynamic metadata in which policies look for claims.</summary>
    public const string MetadataNamespace = "envoy.filters.http.jwt_authn";

    /// <summary>
    /// Every token at the provider's places has to be good: with a good one and a bad one, whoever comes behind might take the bad one.
    /// </summary>
    public async ValueTask<JwtStatus> VerifyAsync(JwtProviderSettings provider, JwtAudiences audiences, CancellationToken cancellationToken)
    {
        var tokens = provider.Locations.Find(exchange);
        var status = JwtStatus.Missing;
        for (var i = tokens.Count - 1; i >= 0; i--)
        {
            (status, var token) = await VerifyAsync(provider, audiences, tokens[i].Token, cancellationToken).ConfigureAwait(false);
            if (token is null)
            {
                break;
            }

            Apply(provider, tokens[i], token);
        }

        if (!status.IsOk && provider.FailedStatusMetadata.Length > 0)
        {
            Metadata()[provider.FailedStatusMetadata] = new JsonObject { ["message"] = status.Text };
        }

        return status;
    }

    private async ValueTask<(JwtStatus Status, CompactJwt? Token)> VerifyAsync(
        JwtProviderSettings provider, JwtAudiences audiences, ReadOnlyMemory<char> text, CancellationToken cancellationToken)
    {
        var (keysStatus, keys) = await provider.Keys.GetAsync(services, cancellationToken).ConfigureAwait(false);
        var hash = VerifiedTokens.Key.Of(text.Span);
        var token = keys is null ? null : provider.Verified.Find(hash, keys);
        var isKnown = token is not null;
        (isKnown ? counters.CacheHit : counters.CacheMiss).Increment();
        if (!isKnown)
        {
            var parsed = CompactJwt.Parse(text.ToString(), out token);
            if (token is null)
            {
                return (parsed, null);
            }
        }

        var claims = Check(provider, audiences, token!);
        if (!claims.IsOk)
        {
            return (claims, null);
        }

        if (keys is null)
        {
            return (keysStatus, null);
        }

        if (!isKnown)
        {
            var signature = keys.Verify(token!);
            if (!signature.IsOk)
            {
                return (signature, null);
            }

            provider.Verified.Add(hash, keys, token!, text.Length);
        }

        return (JwtStatus.Ok, token);
    }

    private JwtStatus Check(JwtProviderSettings provider, JwtAudiences audiences, CompactJwt token)
    {
        if (provider.Issuer.Length > 0 && token.Issuer != provider.Issuer)
        {
            return JwtStatus.UnknownIssuer;
        }

        var now = services.Time.GetUtcNow();
        var status = token.CheckTime(now, provider.ClockSkew);
        if (!status.IsOk)
        {
            return status;
        }

        if (token.Expires is not { } expires)
        {
            if (provider.RequiresExpiration || provider.MaxLifetime is not null)
            {
                return JwtStatus.MissingExpiration;
            }
        }
        else if (provider.MaxLifetime is { } lifetime && expires > (Int128)(now + lifetime).ToUnixTimeSeconds())
        {
            return JwtStatus.LifetimeTooLong;
        }

        if (provider.Subjects is { } subjects && !subjects.IsMatch(token.Subject))
        {
            return JwtStatus.SubjectNotAllowed;
        }

        return audiences.Allow(token.Audiences) ? JwtStatus.Ok : JwtStatus.AudienceNotAllowed;
    }

    private void Apply(JwtProviderSettings provider, JwtFound found, CompactJwt token)
    {
        if (provider.PayloadHeader.Length > 0)
        {
            var payload = token.EncodedPayload;
            exchange.RequestHeaders.Add(provider.PayloadHeader, provider.PadsPayload ? payload.PadRight((payload.Length + 3) / 4 * 4, '=') : payload);
        }

        foreach (var (header, claim) in provider.ClaimHeaders)
        {
            if (Find(token.Payload, claim) is { } value && TextOf(value) is { Length: > 0 } text && HeaderSyntax.IsValue(text))
            {
                exchange.RequestHeaders.Add(header, text);
            }
        }

        if (!provider.Forwards)
        {
            found.Remove(exchange);
        }

        if (provider.HeaderMetadata.Length > 0)
        {
            Metadata()[provider.HeaderMetadata] = JsonObject.Create(token.Header);
        }

        if (provider.PayloadMetadata.Length > 0)
        {
            // A token comes with many requests, which need not each have what it says.
            var shared = token.Metadata ??= MetadataOf(provider, token);
            if (!exchange.TryShareMetadata(MetadataNamespace, shared))
            {
                Metadata()[provider.PayloadMetadata] = shared[provider.PayloadMetadata]!.DeepClone();
            }
        }

        if (provider.ClearsRouteCache)
        {
            exchange.ClearRouteCache();
        }
    }

    // Whole: objects that are made of text when they are first looked at are not for several threads.
    private static JsonObject MetadataOf(JwtProviderSettings provider, CompactJwt token)
    {
        var payload = JsonObject.Create(token.Payload)!;
        foreach (var claim in provider.SpaceDelimitedClaims)
        {
            if (payload[claim] is JsonValue value && value.TryGetValue<string>(out var words))
            {
                payload[claim] = new JsonArray([.. words.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(w => (JsonNode)w)]);
            }
        }

        Visit(payload);
        return new JsonObject { [provider.PayloadMetadata] = payload };
    }

    private static void Visit(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject members:
                foreach (var (_, value) in members)
                {
                    Visit(value);
                }

                break;
            case JsonArray items:
                foreach (var item in items)
                {
                    Visit(item);
                }

                break;
        }
    }

    private JsonObject Metadata()
    {
        if (!exchange.Metadata.TryGetValue(MetadataNamespace, out var metadata))
        {
            exchange.Metadata[MetadataNamespace] = metadata = [];
        }

        return metadata;
    }

    // A claim by its name, which may have dots itself, else a claim within claims.
    private static JsonElement? Find(JsonElement payload, string claim)
    {
        if (payload.TryGetProperty(claim, out var value))
        {
            return value;
        }

        foreach (var name in claim.Split('.'))
        {
            if (payload.ValueKind != JsonValueKind.Object || !payload.TryGetProperty(name, out payload))
            {
                return null;
            }
        }

        return payload;
    }

    // As Envoy: whole numbers without a fraction, lists and objects as base64 of their JSON.
    private static string? TextOf(JsonElement value)
        => value.ValueKind switch
        {
            JsonValueKind.String => value.GetString(),
            JsonValueKind.True => "true",
            JsonValueKind.False => "false",
            JsonValueKind.Number when value.TryGetUInt64(out var integer) => integer.ToString(CultureInfo.InvariantCulture),
            JsonValueKind.Number => value.GetDouble().ToString("F6", CultureInfo.InvariantCulture),
            JsonValueKind.Array or JsonValueKind.Object => Convert.ToBase64String(Encoding.UTF8.GetBytes(value.GetRawText())),
            _ => null,
        };
}
