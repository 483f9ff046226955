using System.Text;
using Mesh.DataPlane.Matching.Re2;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Matching;

/// <summary>
/// Envoy's URI template (<c>UriTemplateMatchConfig</c>): <c>*</c> stands for one segment, <c>**</c> for any number of them, and so do variables
/// (<c>{name}</c>, <c>{name=**}</c>), whose values nobody asks for here.
/// </summary>
/// <param name="Text">As it was written.</param>
/// <param name="Prefix">What every path begins with that matches.</param>
/// <param name="Strict">Its wildcards take what may stand in a path (RFC 3986), as in Envoy.</param>
/// <param name="Wide">Its wildcards take anything but, for one segment, a slash: whoever forbids does not forbid less for a character that is out of place.</param>
internal sealed record UriTemplate(string Text, string Prefix, Re2Pattern Strict, Re2Pattern Wide)
{
    private const int MaxLength = 256;
    private const int MaxVariables = 5;
    private const int MaxVariableName = 16;
    private const string Characters = "a-zA-Z0-9\\-._~%!$&'()+,;:@=";

    private static readonly System.Buffers.SearchValues<char> _literal
        = System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%!$&'()+,;:@=");

    /// <exception cref="ResourceRejectedException">It is no template.</exception>
    public static UriTemplate Parse(string template, string path)
    {
        var reader = new Reader(template, path);
        reader.Read();
        try
        {
            return new UriTemplate(template, reader.Prefix, Re2Pattern.Parse(reader.Strict.ToString()), Re2Pattern.Parse(reader.Wide.ToString()));
        }
        catch (Re2SyntaxException e)
        {
            throw new ResourceRejectedException(path, e.Message);
        }
    }

    public override string ToString() => Text;

    private sealed class Reader(string template, string path)
    {
        private readonly StringBuilder _plain = new();
        private readonly HashSet<string> _variables = new(StringComparer.Ordinal);
        private int _at;
        private bool _hasText;
        private bool _hasWildcard;

        public StringBuilder Strict { get; } = new();

        public StringBuilder Wide { get; } = new();

        public string Prefix { get; private set; } = "";

        public void Read()
        {
            if (template.Length is 0 or > MaxLength || template[0] != '/')
            {
                throw Invalid($"must begin with / and have at most {MaxLength} characters");
            }

            Literal("/");
            _at = 1;
            while (_at < template.Length)
            {
                switch (template[_at])
                {
                    case '*':
                        Wildcard();
                        break;
                    case '{':
                        Variable();
                        break;
                    default:
                        LiteralSegment(template.Length);
                        break;
                }

                if (_at == template.Length)
                {
                    break;
                }

                if (template[_at] == '/')
                {
                    Literal("/");
                    _at++;
                    continue;
                }

                // What follows a wildcard without a slash ends the template: /**.m3u8
                LiteralSegment(template.Length);
                if (_at < template.Length)
                {
                    throw Invalid("has text behind a wildcard that is not its end");
                }
            }

            if (!_hasWildcard)
            {
                Prefix = _plain.ToString();
            }
        }

        private void Variable()
        {
            var end = template.IndexOf('}', _at);
            if (end < 0)
            {
                throw Invalid("has a { without }");
            }

            var equals = template.IndexOf('=', _at, end - _at);
            var name = template[(_at + 1)..(equals < 0 ? end : equals)];
            if (name.Length is 0 or > MaxVariableName || !char.IsAsciiLetter(name[0]) || !name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_'))
            {
                throw Invalid($"has a variable '{name}', which is no name of 1 to {MaxVariableName} letters, digits and underscores");
            }

            if (!_variables.Add(name) || _variables.Count > MaxVariables)
            {
                throw Invalid($"has the variable '{name}' twice, or more than {MaxVariables} variables");
            }

            if (equals < 0)
            {
                _at = end + 1;
                One();
                return;
            }

            _at = equals + 1;
            if (_at == end)
            {
                throw Invalid($"has a variable '{name}' that stands for nothing");
            }

            while (true)
            {
                if (template[_at] == '*')
                {
                    Wildcard();
                }
                else
                {
                    LiteralSegment(end);
                }

                if (_at == end)
                {
                    break;
                }

                if (template[_at] != '/' || _at + 1 == end)
                {
                    throw Invalid($"has a variable '{name}' that is no row of segments");
                }

                Literal("/");
                _at++;
            }

            _at++;
        }

        private void Wildcard()
        {
            if (string.CompareOrdinal(template, _at, "**", 0, 2) == 0)
            {
                _at += 2;
                BeforeWildcard();
                _hasText = true;
                Strict.Append('[').Append(Characters).Append("/]*");
                Wide.Append("(?s:.*)");
                return;
            }

            _at++;
            One();
        }

        private void One()
        {
            BeforeWildcard();
            Strict.Append('[').Append(Characters).Append("]+");
            Wide.Append("[^/]+");
        }

        private void BeforeWildcard()
        {
            if (_hasText)
            {
                throw Invalid("has a wildcard behind **");
            }

            if (!_hasWildcard)
            {
                // The wildcard may stand in a variable, whose braces are no part of a path.
                Prefix = _plain.ToString();
                _hasWildcard = true;
            }
        }

        private void LiteralSegment(int limit)
        {
            var end = template.IndexOf('/', _at, limit - _at);
            var text = template[_at..(end < 0 ? limit : end)];
            if (text.Length == 0 || text.AsSpan().ContainsAnyExcept(_literal))
            {
                throw Invalid(text.Length == 0 ? "has an empty segment" : $"has '{text}', in which a character may not stand in a path");
            }

            Literal(text);
            _at += text.Length;
        }

        private void Literal(string text)
        {
            _plain.Append(text);
            foreach (var c in text)
            {
                if (!char.IsAsciiLetterOrDigit(c))
                {
                    Strict.Append('\\');
                    Wide.Append('\\');
                }

                Strict.Append(c);
                Wide.Append(c);
            }
        }

        private ResourceRejectedException Invalid(string reason) => new(path, $"'{template}' {reason}");
    }
}
