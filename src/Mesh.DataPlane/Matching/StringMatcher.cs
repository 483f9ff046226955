using Mesh.DataPlane.Matching.Re2;

namespace Mesh.DataPlane.Matching;

/// <summary>Envoy's <c>StringMatcher</c>, compiled. Ignoring case means ASCII case, as in Envoy.</summary>
internal abstract class StringMatcher
{
    public abstract bool IsMatch(ReadOnlySpan<char> value);

    internal sealed class Exact(string text) : StringMatcher
    {
        public override bool IsMatch(ReadOnlySpan<char> value) => value.SequenceEqual(text);

        public override string ToString() => $"exactly '{text}'";
    }

    internal sealed class ExactIgnoreCase(string text) : StringMatcher
    {
        public override bool IsMatch(ReadOnlySpan<char> value) => AsciiCase.Equals(value, text);

        public override string ToString() => $"exactly '{text}' in any case";
    }

    internal sealed class Prefix(string text, bool ignoreCase) : StringMatcher
    {
        public override bool IsMatch(ReadOnlySpan<char> value)
            => ignoreCase ? value.Length >= text.Length && AsciiCase.Equals(value[..text.Length], text) : value.StartsWith(text, StringComparison.Ordinal);

        public override string ToString() => $"a prefix '{text}'";
    }

    internal sealed class Suffix(string text, bool ignoreCase) : StringMatcher
    {
        public override bool IsMatch(ReadOnlySpan<char> value)
            => ignoreCase ? value.Length >= text.Length && AsciiCase.Equals(value[^text.Length..], text) : value.EndsWith(text, StringComparison.Ordinal);

        public override string ToString() => $"a suffix '{text}'";
    }

    internal sealed class Contains(string text, bool ignoreCase) : StringMatcher
    {
        public override bool IsMatch(ReadOnlySpan<char> value)
            => ignoreCase ? AsciiCase.Contains(value, text) : value.Contains(text, StringComparison.Ordinal);

        public override string ToString() => $"something that contains '{text}'";
    }

    internal sealed class Regex(Re2Pattern pattern) : StringMatcher
    {
        public override bool IsMatch(ReadOnlySpan<char> value) => pattern.IsFullMatch(value);

        public override string ToString() => $"a full match of '{pattern}'";
    }
}
