using System.Globalization;
using System.Net;

namespace Mesh.ControlPlane.Config.Validation;

/// <summary>The values that sources, operations and conditions are compared with.</summary>
internal static class AuthorizationValues
{
    private const int MaxServiceAccounts = 16;
    private const int MaxServiceAccountLength = 320;
    private const string MatchOne = "{*}";
    private const string MatchAny = "{**}";

    public static void NotEmpty(IReadOnlyList<string> values, string path, ValidationContext context)
        => Each(values, path, context, value => value.Length == 0 ? $"empty value not allowed, found in {FieldOf(path)}." : null);

    public static void Addresses(IReadOnlyList<string> values, string path, ValidationContext context)
        => Each(values, path, context, value =>
        {
            var slash = value.IndexOf('/', StringComparison.Ordinal);
            if (!IPAddress.TryParse(slash < 0 ? value : value.AsSpan(0, slash), out var address) || !IsPlain(value))
            {
                return slash < 0 ? $"bad IP address ({value}): write 10.1.2.3 or 10.1.0.0/16." : $"bad CIDR range ({value}): write 10.1.2.3 or 10.1.0.0/16.";
            }

            return slash < 0
                || (int.TryParse(value.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var length) && length <= address.GetAddressBytes().Length * 8)
                    ? null
                    : $"bad CIDR range ({value}): the prefix is 0 to {address.GetAddressBytes().Length * 8} bits.";
        });

    public static void Ports(IReadOnlyList<string> values, string path, ValidationContext context)
        => Each(values, path, context, value => uint.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port <= 65535 ? null : $"bad port ({value}): a port is a number up to 65535.");

    public static void ServiceAccounts(IReadOnlyList<string> values, string path, ValidationContext context)
    {
        if (values.Count > MaxServiceAccounts)
        {
            context.Error(path, $"may not have more than {MaxServiceAccounts} values: write another source for the others.");
        }

        Each(values, path, context, value => value switch
        {
            "" => $"empty value not allowed, found in {FieldOf(path)}.",
            _ when value.Contains('*', StringComparison.Ordinal) => $"wildcard not allowed, found in {FieldOf(path)}.",
            { Length: > MaxServiceAccountLength } => $"value cannot exceed {MaxServiceAccountLength} characters.",
            _ when value.Count(c => c == '/') > 1 || value[0] == '/' || value[^1] == '/' => $"expected format 'serviceAccount' or 'namespace/serviceAccount', found \"{value}\".",
            _ => null,
        });
    }

    public static void TrustDomains(IReadOnlyList<string> values, string path, ValidationContext context)
        => Each(values, path, context, value => value switch
        {
            "" => $"empty value not allowed, found in {FieldOf(path)}.",
            _ when value.Count(c => c == '*') > 1 => $"at most one wildcard is allowed, found in {FieldOf(path)}: \"{value}\".",
            _ when value.IndexOf('*', StringComparison.Ordinal) is > 0 and var at && at < value.Length - 1 => $"wildcard is only allowed at the start or end, found in {FieldOf(path)}: \"{value}\".",
            _ when value.Contains('/', StringComparison.Ordinal) => $"trust domain must not contain '/', found in {FieldOf(path)}: \"{value}\".",
            _ => null,
        });

    /// <summary>Paths: exact, <c>prefix*</c>, <c>*suffix</c>, <c>*</c>, or templates with <c>{*}</c> (one segment) and, last, <c>{**}</c> (the rest).</summary>
    public static void Paths(IReadOnlyList<string> values, string path, ValidationContext context)
    {
        NotEmpty(values, path, context);
        Each(values, path, context, value =>
        {
            var isTemplate = Model.Policies.PathTemplates.IsTemplate(value);
            var ended = false;
            foreach (var segment in value.Trim('/').Split('/'))
            {
                if (segment is MatchOne or MatchAny)
                {
                    if (ended)
                    {
                        return $"invalid or unsupported path \"{value}\". {{**}} is not the last operator.";
                    }

                    ended = segment == MatchAny;
                }
                else if (segment.AsSpan().IndexOfAny('{', '}') >= 0)
                {
                    return $"invalid or unsupported path \"{value}\". Contains '{{' or '}}' beyond a supported path template: {{*}} and {{**}} are whole segments.";
                }
                else if (isTemplate && !IsLiteral(segment))
                {
                    return $"invalid or unsupported path \"{value}\". Contains segment {segment} with invalid string literal: beside templates no wildcard is known.";
                }
            }

            return null;
        });
    }

    /// <summary>RFC 3986's pchar without <c>*</c>, which templates know for themselves.</summary>
    private static bool IsLiteral(string segment)
        => segment.Length > 0 && segment.All(c => char.IsAsciiLetterOrDigit(c) || "-._~%!$&'()+,;:@=".Contains(c, StringComparison.Ordinal));

    /// <summary>Neither zones nor the shortened forms that .NET reads (<c>10.1</c>), which others read differently.</summary>
    private static bool IsPlain(string value)
    {
        var address = value.Split('/')[0];
        return address.Contains(':', StringComparison.Ordinal) ? !address.Contains('%', StringComparison.Ordinal) && address[0] != '[' : address.Split('.') is { Length: 4 } parts && parts.All(part => part is "0" || (part.Length > 0 && part[0] != '0' && part.All(char.IsAsciiDigit)));
    }

    private static string FieldOf(string path) => path[(path.LastIndexOf('.') + 1)..];

    private static void Each(IReadOnlyList<string> values, string path, ValidationContext context, Func<string, string?> wrong)
    {
        for (var i = 0; i < values.Count; i++)
        {
            if (wrong(values[i]) is { } reason)
            {
                context.Error($"{path}[{i}]", reason);
            }
        }
    }
}
