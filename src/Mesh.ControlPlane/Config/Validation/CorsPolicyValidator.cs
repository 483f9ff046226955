using Istio.Networking.V1Alpha3;

namespace Mesh.ControlPlane.Config.Validation;

internal static class CorsPolicyValidator
{
    private static readonly HashSet<string> Methods = new(StringComparer.Ordinal)
    {
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE", "*",
    };

    public static void Validate(CorsPolicy? policy, string path, ValidationContext context)
    {
        if (policy is null)
        {
            return;
        }

        for (var i = 0; i < policy.AllowOrigins.Count; i++)
        {
            var origin = policy.AllowOrigins[i];
            if (origin is { Exact: "", Prefix: "", Regex: "" })
            {
                context.Error($"{path}.allowOrigins[{i}]", "must have exact, prefix or regex.");
            }
            else if (origin.HasRegex)
            {
                context.Regex($"{path}.allowOrigins[{i}].regex", origin.Regex);
            }
        }

        for (var i = 0; i < policy.AllowMethods.Count; i++)
        {
            if (!Methods.Contains(policy.AllowMethods[i]))
            {
                context.Error($"{path}.allowMethods[{i}]", $"\"{policy.AllowMethods[i]}\" is none of {string.Join(", ", Methods)}.");
            }
        }

        Names(policy.AllowHeaders, $"{path}.allowHeaders", context);
        Names(policy.ExposeHeaders, $"{path}.exposeHeaders", context);
        if (policy.MaxAge is { } age && (age.Seconds < 1 || age.Nanos != 0))
        {
            context.Error($"{path}.maxAge", "must be whole seconds, at least one.");
        }
    }

    private static void Names(IReadOnlyList<string> names, string path, ValidationContext context)
    {
        for (var i = 0; i < names.Count; i++)
        {
            if (!FieldRules.IsHeaderName(names[i]))
            {
                context.Error($"{path}[{i}]", $"\"{names[i]}\" is not the name of a header.");
            }
        }
    }
}
