using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Config.Yaml;
using Mesh.ControlPlane.Model.Policies;

namespace Mesh.ControlPlane.Config.Validation;

internal static class HttpMatchValidator
{
    public static void Validate(HTTPMatchRequest match, string path, ValidationContext context)
    {
        Required(match.Uri, $"{path}.uri", context);
        Required(match.Scheme, $"{path}.scheme", context);
        Required(match.Method, $"{path}.method", context);
        Required(match.Authority, $"{path}.authority", context);
        NotEmpty(match.Scheme, $"{path}.scheme", context);
        NotEmpty(match.Method, $"{path}.method", context);
        NotEmpty(match.Authority, $"{path}.authority", context);
        if (match.Uri is { MatchTypeCase: StringMatch.MatchTypeOneofCase.Exact or StringMatch.MatchTypeOneofCase.Prefix } uri
            && !(uri.HasExact ? uri.Exact : uri.Prefix).StartsWith('/'))
        {
            context.Warn($"{path}.uri", "does not begin with \"/\" as every path does, so it never matches.");
        }

        Headers(match.Headers, $"{path}.headers", context);
        Headers(match.WithoutHeaders, $"{path}.withoutHeaders", context);
        foreach (var (name, value) in match.QueryParams)
        {
            NotEmpty(value, YamlPath.Append($"{path}.queryParams", name), context);
            Regex(value, YamlPath.Append($"{path}.queryParams", name), context);
        }

        if (match.Port != 0)
        {
            FieldRules.Port(match.Port, $"{path}.port", context);
        }

        LabelValidator.Validate(match.SourceLabels, $"{path}.sourceLabels", context);
        VirtualServiceValidator.ValidateGateways(match.Gateways, $"{path}.gateways", context);
        if (match.SourceNamespace.Length > 0 && !DnsName.IsLowerLabel(match.SourceNamespace))
        {
            context.Error($"{path}.sourceNamespace", $"\"{match.SourceNamespace}\" is not a namespace.");
        }
    }

    private static void Headers(IEnumerable<KeyValuePair<string, StringMatch>> headers, string path, ValidationContext context)
    {
        foreach (var (name, value) in headers)
        {
            var at = YamlPath.Append(path, name);
            // An empty StringMatch is no mistake here: it asks for the header to be present.
            if (name is "uri" or "scheme" or "method" or "authority")
            {
                context.Warn(at, $"\"{name}\" is no header: Istio ignores it here. Match it by the field {name} beside headers.");
            }
            else if (ClaimHeader.Claims(name) is { } claims)
            {
                if (claims.Contains(""))
                {
                    context.Error(at, $"\"{name}\" names a claim that is empty: write @request.auth.claims[a][b], or @request.auth.claims.a.b.");
                }
            }
            else if (!FieldRules.IsHeaderName(name) && name is not (":method" or ":scheme" or ":authority" or ":path"))
            {
                context.Error(at, $"\"{name}\" is not the name of a header.");
            }
            else if (name.AsSpan().ContainsAnyInRange('A', 'Z'))
            {
                context.Warn(at, $"header names are written in lower case: \"{name.ToLowerInvariant()}\".");
            }

            NotEmpty(value, at, context);
            Regex(value, at, context);
        }
    }

    private static void NotEmpty(StringMatch? match, string path, ValidationContext context)
    {
        if (match is { HasPrefix: true, Prefix: "" })
        {
            context.Error($"{path}.prefix", "must not be empty: leave the match empty to ask for presence.");
        }
    }

    private static void Required(StringMatch? match, string path, ValidationContext context)
    {
        if (match is { MatchTypeCase: StringMatch.MatchTypeOneofCase.None })
        {
            context.Error(path, "must have exact, prefix or regex.");
        }

        Regex(match, path, context);
    }

    private static void Regex(StringMatch? match, string path, ValidationContext context)
    {
        if (match is { HasRegex: true })
        {
            context.Regex($"{path}.regex", match.Regex);
        }
    }
}
