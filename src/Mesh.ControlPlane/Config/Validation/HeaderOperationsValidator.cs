using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Config.Yaml;

namespace Mesh.ControlPlane.Config.Validation;

/// <summary>Changes to headers: names and values that may stand in a message, and an authority that is set in one place.</summary>
internal static class HeaderOperationsValidator
{
    public static void Validate(Headers? headers, string path, ValidationContext context)
    {
        Operations(headers?.Request, $"{path}.request", authority: true, context);
        Operations(headers?.Response, $"{path}.response", authority: false, context);
    }

    /// <summary>The host may be changed by <c>rewrite.authority</c>, by setting a header, or by adding one: not by two of them.</summary>
    public static void OneAuthority(HTTPRewrite? rewrite, Headers? headers, string path, ValidationContext context)
    {
        var first = rewrite is { Authority.Length: > 0 } ? "rewrite.authority" : null;
        foreach (var (verb, values) in new[] { ("set", headers?.Request?.Set), ("add", headers?.Request?.Add) })
        {
            foreach (var name in values?.Keys.Where(IsAuthority) ?? [])
            {
                var place = YamlPath.Append($"headers.request.{verb}", name);
                if (first is not null)
                {
                    context.Error($"{path}.{place}", $"sets the authority, which {first} sets already: keep one.");
                }

                first ??= place;
            }
        }
    }

    private static void Operations(Headers.Types.HeaderOperations? operations, string path, bool authority, ValidationContext context)
    {
        if (operations is null)
        {
            return;
        }

        foreach (var (verb, values) in new[] { ("set", operations.Set), ("add", operations.Add) })
        {
            foreach (var (name, value) in values)
            {
                var at = YamlPath.Append($"{path}.{verb}", name);
                if (authority && IsAuthority(name))
                {
                    Authority(value, at, context);
                }
                else if (Name(name, at, context))
                {
                    Value(value, at, context);
                }
            }
        }

        for (var i = 0; i < operations.Remove.Count; i++)
        {
            Name(operations.Remove[i], $"{path}.remove[{i}]", context);
        }
    }

    /// <summary>What may stand as the host of a request.</summary>
    public static void Authority(string value, string path, ValidationContext context)
    {
        if (value.Length == 0 || value.Any(c => c is <= ' ' or >= '\x7f' or '/' or '?' or '#' or '@' or '\\' or '%'))
        {
            context.Error(path, $"\"{value}\" is not a host, with or without a port.");
        }
    }

    private static bool Name(string name, string path, ValidationContext context)
    {
        if (!IsAuthority(name) && FieldRules.IsHeaderName(name))
        {
            return true;
        }

        context.Error(path, $"\"{name}\" is not a header that can be changed here.");
        return false;
    }

    private static void Value(string value, string path, ValidationContext context)
    {
        if (value.Any(c => c is '\x7f' or (< ' ' and not '\t')))
        {
            context.Error(path, $"\"{value}\" has a line break or another control character, which no header may carry.");
        }
        else if (HeaderFormat.Problem(value) is { } problem)
        {
            context.Error(path, $"\"{value}\" {problem}");
        }
        else if (value.Length == 0)
        {
            context.Warn(path, "is empty: a header without a value is not sent, so this changes nothing.");
        }
    }

    private static bool IsAuthority(string name)
        => name.Equals("host", StringComparison.OrdinalIgnoreCase) || name.Equals(":authority", StringComparison.OrdinalIgnoreCase);
}
