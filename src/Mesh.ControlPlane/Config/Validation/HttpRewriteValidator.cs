using Istio.Networking.V1Alpha3;

namespace Mesh.ControlPlane.Config.Validation;

internal static class HttpRewriteValidator
{
    public static void Validate(HTTPRewrite? rewrite, string path, ValidationContext context)
    {
        switch (rewrite)
        {
            case null:
                return;
            case { Uri: "", Authority: "", UriRegexRewrite: null }:
                context.Error(path, "rewrites nothing: give uri, uriRegexRewrite or authority.");
                return;
            case { Uri: not "", UriRegexRewrite: not null }:
                context.Error(path, "cannot have both uri and uriRegexRewrite: keep one.");
                return;
        }

        if (rewrite.Uri.Length > 0)
        {
            Path(rewrite.Uri, $"{path}.uri", context);
        }

        if (rewrite.Authority.Length > 0)
        {
            HeaderOperationsValidator.Authority(rewrite.Authority, $"{path}.authority", context);
        }

        if (rewrite.UriRegexRewrite is { } regex)
        {
            ValidateRegex(regex, $"{path}.uriRegexRewrite", context);
        }
    }

    /// <summary>What may begin the path of a request.</summary>
    public static void Path(string value, string path, ValidationContext context)
    {
        if (!value.StartsWith('/'))
        {
            context.Error(path, "must begin with \"/\", as every path does.");
        }
        else if (value.Any(c => c is <= ' ' or '\x7f'))
        {
            context.Error(path, "has a space or a control character, which no path may carry: write it percent-encoded.");
        }
    }

    private static void ValidateRegex(RegexRewrite regex, string path, ValidationContext context)
    {
        if (regex.Match.Length == 0 || regex.Rewrite.Length == 0)
        {
            context.Error(path, "must have both match and rewrite.");
            return;
        }

        context.Regex($"{path}.match", regex.Match);
        var groups = GroupsOf(regex.Match);
        for (var i = regex.Rewrite.IndexOf('\\'); i >= 0; i = i + 2 <= regex.Rewrite.Length ? regex.Rewrite.IndexOf('\\', i + 2) : -1)
        {
            var next = i + 1 < regex.Rewrite.Length ? regex.Rewrite[i + 1] : '\0';
            if (next != '\\' && !char.IsAsciiDigit(next))
            {
                context.Error($"{path}.rewrite", "has a \\ without the number of a group behind it: write \\1 for the first group, \\\\ for a backslash.");
                return;
            }

            if (char.IsAsciiDigit(next) && next - '0' > groups)
            {
                context.Error($"{path}.rewrite", $"names the group {next}, but match has {groups}.");
                return;
            }
        }
    }

    /// <summary>The capturing groups of a pattern: what opens with a parenthesis and is neither escaped, in brackets, nor <c>(?:…)</c>.</summary>
    private static int GroupsOf(string pattern)
    {
        var groups = 0;
        var brackets = false;
        for (var i = 0; i < pattern.Length; i++)
        {
            switch (pattern[i])
            {
                case '\\':
                    i++;
                    break;
                case '[' when !brackets:
                    brackets = true;
                    // A ] that stands first is a character of the class.
                    i += pattern.AsSpan(i + 1).StartsWith("^]") ? 2 : pattern.AsSpan(i + 1).StartsWith("]") ? 1 : 0;
                    break;
                case ']':
                    brackets = false;
                    break;
                case '(' when !brackets:
                    var rest = pattern.AsSpan(i + 1);
                    groups += !rest.StartsWith("?") || rest.StartsWith("?P<") || rest.StartsWith("?<") ? 1 : 0;
                    break;
            }
        }

        return groups;
    }
}
