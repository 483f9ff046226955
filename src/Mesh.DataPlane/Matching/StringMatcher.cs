using Mesh.DataPlane.Matching.Re2;

namespace Mesh.DataPlane.Matching;

/// <summary>Envoy's <c>StringMatcher</c>, compiled. Ignoring case means ASCII case, as in Envoy.</summary>
internal abstract class StringMatcher
{
    public abstract bool IsMatch(ReadOnlySpan<char> value);

    internal sealed class Exact(string text) : StringMatcher
    {
        public string Text { get; } = text;

        public override bool IsMatch(ReadOnlySpan<char> value) => value.SequenceEqual(Text);

        public override string ToString() => $"exactly '{Text}'";
    }

    internal sealed class ExactIgnoreCase(string text) : StringMatcher
    {
        public string Text { get; } = text;

        public override bool IsMatch(ReadOnlySpan<char> value) => AsciiCase.Equals(value, Text);

        public override string ToString() => $"exactly '{Text}' in any case";
    }

    internal sealed class Prefix(string text, bool ignoreCase) : StringMatcher
    {
        public string Text { get; } = text;

        public bool IgnoreCase { get; } = ignoreCase;

        public override bool IsMatch(ReadOnlySpan<char> value)
            => IgnoreCase ? value.Length >= Text.Length && AsciiCase.Equals(value[..Text.Length], Text) : value.StartsWith(Text, StringComparison.Ordinal);

        public override string ToString() => $"a prefix '{Text}'";
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
        /// <summary>What every match begins with; empty when nothing can be said.</summary>
        public string Start => pattern.Prefix;

        public override bool IsMatch(ReadOnlySpan<char> value) => pattern.IsFullMatch(value);

        public override string ToString() => $"a full match of '{pattern}'";
    }
}
