using System.Text;

namespace Mesh.DataPlane.Routing;

/// <summary>The cookie that a hash policy answers to a request that has none.</summary>
internal sealed class GeneratedCookie
{
    private readonly string _rest;

    /// <param name="lifetime">How long it lives, in whole seconds; zero for as long as the client's session.</param>
    /// <param name="path">Its path; empty for none.</param>
    /// <param name="attributes">Further attributes; one without a value stands for itself.</param>
    public GeneratedCookie(TimeSpan lifetime, string path, IEnumerable<(string Name, string Value)> attributes)
    {
        var rest = new StringBuilder();
        if ((long)lifetime.TotalSeconds is > 0 and var seconds)
        {
            rest.Append("; Max-Age=").Append(seconds);
        }

        if (path.Length > 0)
        {
            rest.Append("; Path=").Append(path);
        }

        foreach (var (name, value) in attributes)
        {
            rest.Append("; ").Append(name);
            if (value.Length > 0)
            {
                rest.Append('=').Append(value);
            }
        }

        _rest = rest.Append("; HttpOnly").ToString();
    }

    /// <summary>The value of the <c>Set-Cookie</c> header.</summary>
    public string SetCookie(string name, ReadOnlySpan<char> value) => $"{name}=\"{value}\"{_rest}";
}
