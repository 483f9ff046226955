using System.Text.Json;
using Istio.Security.V1Beta1;
using Mesh.ControlPlane.Issuers;
using Mesh.ControlPlane.Model.Policies;
using Mesh.Xds.Jwt;

namespace Mesh.ControlPlane.Config.Validation;

internal static class JwtRuleValidator
{
    private static readonly string[] PrivateMembers = ["d", "k", "p", "q", "dp", "dq", "qi"];

    public static void Validate(JWTRule rule, string path, ValidationContext context)
    {
        NotEmpty(rule.Audiences, $"{path}.audiences", "audience must be non-empty string.", context);
        if (rule.Issuer.Length == 0 && rule.JwksUri.Length == 0)
        {
            context.Error(path, "issuer or jwksUri must be non-empty string.");
        }

        Keys(rule, path, context);
        for (var i = 0; i < rule.FromHeaders.Count; i++)
        {
            var name = rule.FromHeaders[i].Name;
            if (name.Length == 0)
            {
                context.Error($"{path}.fromHeaders[{i}].name", "location header name must be non-empty string.");
            }
            else if (!FieldRules.IsHeaderName(name))
            {
                context.Error($"{path}.fromHeaders[{i}].name", $"\"{name}\" is not the name of a header.");
            }

            if (rule.FromHeaders[i].Prefix.AsSpan().IndexOfAny('\0', '\r', '\n') >= 0)
            {
                context.Error($"{path}.fromHeaders[{i}].prefix", "has a line break or another control character, which no header may carry.");
            }
        }

        NotEmpty(rule.FromParams, $"{path}.fromParams", "location query must be non-empty string.", context);
        NotEmpty(rule.FromCookies, $"{path}.fromCookies", "cookie name must be non-empty string.", context);
        if (rule.OutputPayloadToHeader.Length > 0)
        {
            HeaderName(rule.OutputPayloadToHeader, $"{path}.outputPayloadToHeader", context);
        }

        for (var i = 0; i < rule.OutputClaimToHeaders.Count; i++)
        {
            var output = rule.OutputClaimToHeaders[i];
            if (output.Claim.Length == 0 || output.Header.Length == 0)
            {
                context.Error($"{path}.outputClaimToHeaders[{i}]", "outputClaimToHeaders header and claim value must be non-empty string.");
            }
            else
            {
                HeaderName(output.Header, $"{path}.outputClaimToHeaders[{i}].header", context);
            }
        }

        FieldRules.AtLeastAMillisecond(rule.Timeout, $"{path}.timeout", context);
    }

    private static void Keys(JWTRule rule, string path, ValidationContext context)
    {
        if (rule.JwksUri.Length > 0)
        {
            if (!JwksUri.TryParse(rule.JwksUri, out _, out var reason))
            {
                context.Error($"{path}.jwksUri", $"{reason}: write http://host/path or https://host/path.");
            }

            if (rule.Jwks.Length > 0)
            {
                context.Warn($"{path}.jwks", "is not used, as jwksUri is given: keep one of the two.");
            }
        }
        else if (rule.Jwks.Length == 0 && rule.Issuer.Length > 0 && OpenIdConfiguration.AddressOf(rule.Issuer) is null)
        {
            context.Error(path, $"has no keys: give jwks or jwksUri; where \"{rule.Issuer}\" publishes them cannot be looked up, as it is no http or https address.");
        }

        if (rule.Jwks.Length == 0)
        {
            return;
        }

        var status = JsonWebKeySet.Parse(rule.Jwks, out _);
        if (status != JwtStatus.Ok)
        {
            context.Error($"{path}.jwks", $"jwks parse error: {status.Text}.");
            return;
        }

        using var document = JsonDocument.Parse(rule.Jwks);
        if (!document.RootElement.TryGetProperty("keys", out var keys))
        {
            return;
        }

        var index = 0;
        foreach (var key in keys.EnumerateArray())
        {
            if (key.ValueKind == JsonValueKind.Object && PrivateMembers.Any(member => key.TryGetProperty(member, out _)))
            {
                context.Warn($"{path}.jwks", $"jwks key at index {index} contains private key material; only public keys are used for verification: whoever reads this file can sign tokens with it.");
            }

            index++;
        }
    }

    private static void HeaderName(string name, string path, ValidationContext context)
    {
        if (!FieldRules.IsHeaderName(name))
        {
            context.Error(path, $"header name {name} is not a valid header name.");
        }
    }

    private static void NotEmpty(IReadOnlyList<string> values, string path, string message, ValidationContext context)
    {
        for (var i = 0; i < values.Count; i++)
        {
            if (values[i].Length == 0)
            {
                context.Error($"{path}[{i}]", message);
            }
        }
    }
}
