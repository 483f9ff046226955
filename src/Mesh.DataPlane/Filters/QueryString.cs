using System.Text;

namespace Mesh.DataPlane.Filters;

/// <summary>Reads and writes the query of a path, by Envoy's rules: parameters are decoded when read and encoded when written.</summary>
internal static class QueryString
{
    /// <summary>The first parameter of a name; <see langword="null"/> when there is none.</summary>
    public static string? First(string path, string name)
    {
        if (!path.Contains('?'))
        {
            return null;
        }

        foreach (var (key, value) in Parse(path))
        {
            if (key == name)
            {
                return value;
            }
        }

        return null;
    }

    public static List<(string Key, string Value)> Parse(string path)
    {
        var parameters = new List<(string, string)>();
        var start = path.IndexOf('?');
        if (start < 0)
        {
            return parameters;
        }

        foreach (var range in path.AsSpan(start + 1).Split('&'))
        {
            var pair = path.AsSpan(start + 1)[range];
            if (pair.IsEmpty)
            {
                continue;
            }

            var equals = pair.IndexOf('=');
            parameters.Add((
                Uri.UnescapeDataString((equals < 0 ? pair : pair[..equals]).ToString()),
                equals < 0 ? "" : Uri.UnescapeDataString(pair[(equals + 1)..].ToString())));
        }

        return parameters;
    }

    /// <summary>The path without the parameters of a name; the others stay as they were written.</summary>
    public static string Without(string path, string name)
    {
        var start = path.IndexOf('?');
        if (start < 0)
        {
            return path;
        }

        var text = new StringBuilder(path, 0, start, path.Length);
        var separator = '?';
        foreach (var pair in path[(start + 1)..].Split('&'))
        {
            var equals = pair.IndexOf('=');
            if (pair.Length > 0 && Uri.UnescapeDataString(equals < 0 ? pair : pair[..equals]) != name)
            {
                text.Append(separator).Append(pair);
                separator = '&';
            }
        }

        return text.ToString();
    }

    /// <summary>The path with other parameters in place of those it has.</summary>
    public static string Replace(string path, List<(string Key, string Value)> parameters)
    {
        var start = path.IndexOf('?');
        var text = new StringBuilder(start < 0 ? path : path[..start]);
        for (var i = 0; i < parameters.Count; i++)
        {
            text.Append(i == 0 ? '?' : '&').Append(Uri.EscapeDataString(parameters[i].Key)).Append('=').Append(Uri.EscapeDataString(parameters[i].Value));
        }

        return text.ToString();
    }
}
