using System.Globalization;

namespace Mesh.DataPlane.Matching;

/// <summary>Envoy's <c>HeaderMatcher</c>, compiled. A missing header matches no value matcher, inverted or not, unless it is to be treated as empty.</summary>
internal abstract class HeaderMatcher(HeaderName name, bool invert, bool missingAsEmpty)
{
    protected HeaderName Name { get; } = name;

    protected bool Invert { get; } = invert;

    public virtual bool IsMatch(scoped in RequestView request)
    {
        if (!request.TryGetHeader(Name, out var value))
        {
            if (!missingAsEmpty)
            {
                return false;
            }

            value = [];
        }

        return IsValueMatch(value) != Invert;
    }

    protected abstract bool IsValueMatch(ReadOnlySpan<char> value);

    internal sealed class Value(HeaderName name, StringMatcher matcher, bool invert, bool missingAsEmpty) : HeaderMatcher(name, invert, missingAsEmpty)
    {
        protected override bool IsValueMatch(ReadOnlySpan<char> value) => matcher.IsMatch(value);

        public override string ToString() => $"header {Name} is {(Invert ? "not " : "")}{matcher}";
    }

    /// <summary>A 64-bit integer in [start, end).</summary>
    internal sealed class Range(HeaderName name, long start, long end, bool invert, bool missingAsEmpty) : HeaderMatcher(name, invert, missingAsEmpty)
    {
        protected override bool IsValueMatch(ReadOnlySpan<char> value)
            => long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= start && number < end;

        public override string ToString() => $"header {Name} is {(Invert ? "not " : "")}a number in [{start}, {end})";
    }

    internal sealed class Present(HeaderName name, bool present, bool invert, bool missingAsEmpty) : HeaderMatcher(name, invert, missingAsEmpty)
    {
        private readonly bool _missingAsEmpty = missingAsEmpty;

        public override bool IsMatch(scoped in RequestView request)
            => (request.TryGetHeader(Name, out _) || _missingAsEmpty) == (present != Invert);

        protected override bool IsValueMatch(ReadOnlySpan<char> value) => present;

        public override string ToString() => $"header {Name} is {(present != Invert ? "present" : "absent")}";
    }
}
