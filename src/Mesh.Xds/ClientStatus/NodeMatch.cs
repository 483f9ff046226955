using System.Text.RegularExpressions;
using Envoy.Config.Core.V3;
using Envoy.Type.Matcher.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Xds.Grpc;

namespace Mesh.Xds.ClientStatus;

/// <summary>Envoy's <c>NodeMatcher</c>: which clients a question is about. A node that one of several matches is meant.</summary>
internal sealed class NodeMatch
{
    private const int MaxMatchers = 64;
    private const int MaxRegexLength = 1_024;
    private const int MaxDepth = 16;

    private readonly List<Func<Node, bool>> _matchers = [];

    /// <exception cref="RpcException">INVALID_ARGUMENT: a matcher cannot be used.</exception>
    public NodeMatch(IReadOnlyList<NodeMatcher> matchers)
    {
        if (matchers.Count > MaxMatchers)
        {
            throw Invalid("node_matchers", $"more than {MaxMatchers}");
        }

        for (var i = 0; i < matchers.Count; i++)
        {
            _matchers.Add(Compile(matchers[i], $"node_matchers[{i}]"));
        }
    }

    /// <summary>Whether the node is meant; without matchers every one is.</summary>
    public bool IsMatch(Node node) => _matchers.Count == 0 || _matchers.Exists(m => m(node));

    private static Func<Node, bool> Compile(NodeMatcher matcher, string path)
    {
        var id = matcher.NodeId is { } text ? Compile(text, path + ".node_id") : null;
        var metadata = matcher.NodeMetadatas.Select((m, i) => Compile(m, $"{path}.node_metadatas[{i}]")).ToArray();
        return node => id?.Invoke(node.Id) != false && Array.TrueForAll(metadata, m => m(node.Metadata));
    }

    private static Func<Struct?, bool> Compile(StructMatcher matcher, string path)
    {
        if (matcher.Path.Count == 0 || matcher.Path.Any(s => s.Key.Length == 0))
        {
            throw Invalid(path + ".path", "must name at least one key");
        }

        if (matcher.Value is null)
        {
            throw Invalid(path + ".value", "must be set");
        }

        var keys = matcher.Path.Select(s => s.Key).ToArray();
        var value = Compile(matcher.Value, path + ".value", 0);
        return metadata =>
        {
            var found = metadata is null ? null : Value.ForStruct(metadata);
            foreach (var key in keys)
            {
                if (found?.StructValue is not { } fields || !fields.Fields.TryGetValue(key, out found))
                {
                    return value(null);
                }
            }

            return value(found);
        };
    }

    private static Func<Value?, bool> Compile(ValueMatcher matcher, string path, int depth)
    {
        if (depth > MaxDepth)
        {
            throw Invalid(path, $"more than {MaxDepth} levels");
        }

        switch (matcher.MatchPatternCase)
        {
            case ValueMatcher.MatchPatternOneofCase.NullMatch:
                return value => value?.KindCase == Value.KindOneofCase.NullValue;
            case ValueMatcher.MatchPatternOneofCase.DoubleMatch when matcher.DoubleMatch.MatchPatternCase == DoubleMatcher.MatchPatternOneofCase.Exact:
                var number = matcher.DoubleMatch.Exact;
                return value => value?.KindCase == Value.KindOneofCase.NumberValue && value.NumberValue.Equals(number);
            case ValueMatcher.MatchPatternOneofCase.DoubleMatch when matcher.DoubleMatch.Range is { } range:
                return value => value?.KindCase == Value.KindOneofCase.NumberValue && value.NumberValue >= range.Start && value.NumberValue < range.End;
            case ValueMatcher.MatchPatternOneofCase.StringMatch:
                var text = Compile(matcher.StringMatch, path + ".string_match");
                return value => value?.KindCase == Value.KindOneofCase.StringValue && text(value.StringValue);
            case ValueMatcher.MatchPatternOneofCase.BoolMatch:
                var flag = matcher.BoolMatch;
                return value => value?.KindCase == Value.KindOneofCase.BoolValue && value.BoolValue == flag;
            case ValueMatcher.MatchPatternOneofCase.PresentMatch:
                var present = matcher.PresentMatch;
                return value => (value is not null && value.KindCase != Value.KindOneofCase.NullValue) == present;
            case ValueMatcher.MatchPatternOneofCase.ListMatch when matcher.ListMatch.OneOf is { } one:
                var item = Compile(one, path + ".list_match.one_of", depth + 1);
                return value => value?.KindCase == Value.KindOneofCase.ListValue && value.ListValue.Values.Any(v => item(v));
            case ValueMatcher.MatchPatternOneofCase.OrMatch when matcher.OrMatch.ValueMatchers.Count is > 1 and <= MaxMatchers:
                var any = matcher.OrMatch.ValueMatchers.Select((m, i) => Compile(m, $"{path}.or_match.value_matchers[{i}]", depth + 1)).ToArray();
                return value => Array.Exists(any, m => m(value));
            default:
                throw Invalid(path, "says nothing that can be matched");
        }
    }

    private static Func<string, bool> Compile(StringMatcher matcher, string path)
    {
        var comparison = matcher.IgnoreCase ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
        switch (matcher.MatchPatternCase)
        {
            case StringMatcher.MatchPatternOneofCase.Exact:
                return text => text.Equals(matcher.Exact, comparison);
            case StringMatcher.MatchPatternOneofCase.Prefix:
                return text => text.StartsWith(matcher.Prefix, comparison);
            case StringMatcher.MatchPatternOneofCase.Suffix:
                return text => text.EndsWith(matcher.Suffix, comparison);
            case StringMatcher.MatchPatternOneofCase.Contains:
                return text => text.Contains(matcher.Contains, comparison);
            case StringMatcher.MatchPatternOneofCase.SafeRegex when matcher.SafeRegex.Regex.Length is > 0 and <= MaxRegexLength:
                try
                {
                    // The whole text, in time that grows with its length only.
                    var regex = new Regex($@"\A(?:{matcher.SafeRegex.Regex})\z", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
                    return regex.IsMatch;
                }
                catch (Exception e) when (e is ArgumentException or NotSupportedException)
                {
                    throw Invalid(path + ".safe_regex.regex", e.Message);
                }

            default:
                throw Invalid(path, $"{matcher.MatchPatternCase} is not supported");
        }
    }

    private static RpcException Invalid(string path, string reason) => new(StatusCode.InvalidArgument, $"{path}: {reason}");
}
