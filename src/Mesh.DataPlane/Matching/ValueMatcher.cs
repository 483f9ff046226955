using System.Text.Json;
using System.Text.Json.Nodes;

namespace Mesh.DataPlane.Matching;

/// <summary>Envoy's <c>ValueMatcher</c>, compiled: what a value of metadata has to be. What is not there is no value, and <c>null</c> is one.</summary>
internal abstract class ValueMatcher
{
    /// <param name="node">The value; <see langword="null"/> when it is <c>null</c> or not there.</param>
    /// <param name="exists">Whether it is there.</param>
    public abstract bool IsMatch(JsonNode? node, bool exists);

    internal sealed class Null : ValueMatcher
    {
        public override bool IsMatch(JsonNode? node, bool exists) => exists && (node is null || node.GetValueKind() == JsonValueKind.Null);

        public override string ToString() => "null";
    }

    /// <summary>Any value; when presence is not asked for, there is nothing that would match, as in Envoy.</summary>
    internal sealed class Present(bool present) : ValueMatcher
    {
        public override bool IsMatch(JsonNode? node, bool exists) => present && exists;

        public override string ToString() => present ? "present" : "nothing that there is";
    }

    internal sealed class Flag(bool flag) : ValueMatcher
    {
        public override bool IsMatch(JsonNode? node, bool exists) => node?.GetValueKind() == (flag ? JsonValueKind.True : JsonValueKind.False);

        public override string ToString() => flag ? "true" : "false";
    }

    internal sealed class Text(StringMatcher matcher) : ValueMatcher
    {
        public override bool IsMatch(JsonNode? node, bool exists) => node is JsonValue value && JsonText.TryMatch(value, matcher);

        public override string ToString() => matcher.ToString()!;
    }

    /// <summary>A number in [start, end).</summary>
    internal sealed class Range(double start, double end) : ValueMatcher
    {
        public override bool IsMatch(JsonNode? node, bool exists) => JsonText.NumberOf(node) is { } number && number >= start && number < end;

        public override string ToString() => $"a number in [{start}, {end})";
    }

    internal sealed class Number(double exact) : ValueMatcher
    {
        public override bool IsMatch(JsonNode? node, bool exists) => JsonText.NumberOf(node) is { } number && number.Equals(exact);

        public override string ToString() => $"the number {exact}";
    }

    /// <summary>A list of which one element matches.</summary>
    internal sealed class OneOf(ValueMatcher element) : ValueMatcher
    {
        public override bool IsMatch(JsonNode? node, bool exists)
        {
            if (node is JsonArray list)
            {
                for (var i = 0; i < list.Count; i++)
                {
                    if (element.IsMatch(list[i], exists: true))
                    {
                        return true;
                    }
                }
            }

            return false;
        }

        public override string ToString() => $"a list with {element}";
    }

    internal sealed class Or(ValueMatcher[] matchers) : ValueMatcher
    {
        public override bool IsMatch(JsonNode? node, bool exists)
        {
            foreach (var matcher in matchers)
            {
                if (matcher.IsMatch(node, exists))
                {
                    return true;
                }
            }

            return false;
        }

        public override string ToString() => string.Join(" or ", (object[])matchers);
    }
}
