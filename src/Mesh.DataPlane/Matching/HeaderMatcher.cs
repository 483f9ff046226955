using System.Globalization;
using Mesh.Xds.Redaction;

namespace Mesh.DataPlane.Matching;

/// <summary>Envoy's <c>HeaderMatcher</c>, compiled. A missing header matches no value matcher, inverted or not, unless it is to be treated as empty.</summary>
internal abstract class HeaderMatcher(HeaderName name, bool invert, bool missingAsEmpty)
{
    public HeaderName Name { get; } = name;

    /// <summary>What the header's value has to be like; <see langword="null"/> where a header that is not so, or is not there, can be a match.</summary>
    public virtual StringMatcher? Wanted => null;

    public bool Invert { get; } = invert;

    protected bool MissingAsEmpty { get; } = missingAsEmpty;

    public virtual bool IsMatch(scoped in RequestView request)
    {
        if (!request.TryGetHeader(Name, out var value))
        {
            if (!MissingAsEmpty)
            {
                return false;
            }

            value = [];
        }

        return IsValueMatch(value) != Invert;
    }

    /// <summary>Whether one value of the header, by itself, would be a match.</summary>
    public virtual bool IsMatchOf(ReadOnlySpan<char> value) => IsValueMatch(value) != Invert;

    /// <summary>Whether any reading of a header that was sent more than once is a match: one of its lines, or all of them joined.</summary>
    public virtual bool IsMatchOfAny(scoped in RequestView request)
    {
        if (!request.TryGetHeaderLine(Name, 0, out var line))
        {
            return MissingAsEmpty && IsMatchOf([]);
        }

        if (IsMatchOf(line))
        {
            return true;
        }

        var count = 1;
        for (; request.TryGetHeaderLine(Name, count, out line); count++)
        {
            if (IsMatchOf(line))
            {
                return true;
            }
        }

        return count > 1 && request.TryGetHeader(Name, out var joined) && IsMatchOf(joined);
    }

    /// <summary>Whether each line of a header that was sent more than once is a match.</summary>
    public virtual bool IsMatchOfEvery(scoped in RequestView request)
    {
        if (!request.TryGetHeaderLine(Name, 0, out var line))
        {
            return MissingAsEmpty && IsMatchOf([]);
        }

        for (var i = 1; IsMatchOf(line); i++)
        {
            if (!request.TryGetHeaderLine(Name, i, out line))
            {
                return true;
            }
        }

        return false;
    }

    protected abstract bool IsValueMatch(ReadOnlySpan<char> value);

    internal sealed class Value(HeaderName name, StringMatcher matcher, bool invert, bool missingAsEmpty) : HeaderMatcher(name, invert, missingAsEmpty)
    {
        public override StringMatcher? Wanted => Invert || MissingAsEmpty ? null : matcher;

        protected override bool IsValueMatch(ReadOnlySpan<char> value) => matcher.IsMatch(value);

        public override string ToString() => $"header {Name} is {(Invert ? "not " : "")}{(CredentialHeaders.Contains(Name.Value) ? "a value that is not shown" : matcher)}";
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
        public override bool IsMatch(scoped in RequestView request)
            => (request.TryGetHeader(Name, out _) || MissingAsEmpty) == (present != Invert);

        public override bool IsMatchOf(ReadOnlySpan<char> value) => present != Invert;

        public override bool IsMatchOfAny(scoped in RequestView request) => IsMatch(request);

        public override bool IsMatchOfEvery(scoped in RequestView request) => IsMatch(request);

        protected override bool IsValueMatch(ReadOnlySpan<char> value) => present;

        public override string ToString() => $"header {Name} is {(present != Invert ? "present" : "absent")}";
    }
}
