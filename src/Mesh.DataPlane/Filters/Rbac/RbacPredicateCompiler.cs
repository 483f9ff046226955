using Envoy.Extensions.Matching.CommonInputs.Network.V3;
using Envoy.Extensions.Matching.CommonInputs.Ssl.V3;
using Envoy.Extensions.Matching.InputMatchers.Ip.V3;
using Envoy.Type.Matcher.V3;
using Google.Protobuf;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Resources;
using Mesh.Xds.Client;
using Xds.Core.V3;
using HeaderMatcher = Mesh.DataPlane.Matching.HeaderMatcher;
using Predicate = Xds.Type.Matcher.V3.Matcher.Types.MatcherList.Types.Predicate;
using StringMatcher = Mesh.DataPlane.Matching.StringMatcher;
using Text = Xds.Type.Matcher.V3.StringMatcher;
using WireText = Envoy.Type.Matcher.V3.StringMatcher;

namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>Compiles the predicates of a matcher: questions about headers, addresses, ports, names of TLS and of certificates.</summary>
/// <param name="isHttp">Whether there are requests; without them, questions about headers are refused.</param>
/// <param name="lenient">One reading of a request will do for a match.</param>
internal sealed class RbacPredicateCompiler(bool isHttp, bool lenient)
{
    private const int MaxDepth = 16;

    /// <param name="message">The predicate.</param>
    /// <param name="path">Where it stands.</param>
    /// <param name="depth">How deep.</param>
    /// <exception cref="ResourceRejectedException">It breaks a rule, or asks for what is not supported.</exception>
    public RbacRule Compile(Predicate? message, string path, int depth)
    {
        if (depth > MaxDepth)
        {
            throw new ResourceRejectedException(path, $"is nested more than {MaxDepth} times");
        }

        switch (message?.MatchTypeCase)
        {
            case Predicate.MatchTypeOneofCase.SinglePredicate:
                var single = message.SinglePredicate;
                path += ".single_predicate";
                return single.MatcherCase switch
                {
                    Predicate.Types.SinglePredicate.MatcherOneofCase.ValueMatch => Compile(single.Input, single.ValueMatch, path),
                    Predicate.Types.SinglePredicate.MatcherOneofCase.CustomMatch => Custom(single.Input, single.CustomMatch, path),
                    _ => throw new ResourceRejectedException(path, "one of value_match and custom_match must be set"),
                };
            case Predicate.MatchTypeOneofCase.OrMatcher:
                return new RbacRule.Any([.. Each(message.OrMatcher, path + ".or_matcher")]);
            case Predicate.MatchTypeOneofCase.AndMatcher:
                return new RbacRule.All([.. Each(message.AndMatcher, path + ".and_matcher")]);
            case Predicate.MatchTypeOneofCase.NotMatcher:
                return new RbacRule.Not(new RbacPredicateCompiler(isHttp, !lenient).Compile(message.NotMatcher, path + ".not_matcher", depth + 1));
            default:
                throw new ResourceRejectedException(path, "one of its types must be set");
        }

        IEnumerable<RbacRule> Each(Predicate.Types.PredicateList list, string at)
            => list.Predicate.Count >= 2
                ? list.Predicate.Select((p, i) => Compile(p, $"{at}.predicate[{i}]", depth + 1))
                : throw new ResourceRejectedException(at, "must have two predicates or more");
    }

    /// <summary>A text that must be as a matcher says.</summary>
    /// <param name="input">Which text.</param>
    /// <param name="value">The matcher.</param>
    /// <param name="path">Where both stand.</param>
    public RbacRule Compile(TypedExtensionConfig? input, Text value, string path)
    {
        var matcher = MatcherCompiler.String(Wire(value, path + ".value_match"), path + ".value_match");
        path += ".input";
        if (input?.TypedConfig is { } config)
        {
            if (config.Is(HttpRequestHeaderMatchInput.Descriptor))
            {
                var header = Open(HttpRequestHeaderMatchInput.Parser, config, path + ".typed_config").HeaderName;
                return !isHttp ? throw new ResourceRejectedException(path, "there are connections only, and no headers")
                    : header.Length == 0 ? throw new ResourceRejectedException(path + ".typed_config.header_name", "must not be empty")
                    : new HeaderRule(new HeaderMatcher.Value(new HeaderName(header), matcher, invert: false, missingAsEmpty: false), lenient);
            }

            if (TextOf(config) is { } side)
            {
                return new ConnectionTextRule(side, matcher);
            }
        }

        throw new ResourceRejectedException(path, $"'{input?.Name}' ({input?.TypedConfig?.TypeUrl ?? "no typed_config"}) is not supported");
    }

    private static RbacRule Custom(TypedExtensionConfig? input, TypedExtensionConfig matcher, string path)
    {
        if (matcher.TypedConfig?.Is(Ip.Descriptor) != true)
        {
            throw new ResourceRejectedException(path + ".custom_match", $"'{matcher.Name}' ({matcher.TypedConfig?.TypeUrl ?? "no typed_config"}) is not supported");
        }

        var ip = Open(Ip.Parser, matcher.TypedConfig, path + ".custom_match.typed_config");
        if (ip.CidrRanges.Count == 0)
        {
            throw new ResourceRejectedException(path + ".custom_match.typed_config.cidr_ranges", "must not be empty");
        }

        AddressRule.Side side = input?.TypedConfig is not { } config ? throw Unknown()
            : config.Is(DestinationIPInput.Descriptor) ? AddressRule.Side.Local
            : config.Is(SourceIPInput.Descriptor) ? AddressRule.Side.Remote
            : config.Is(DirectSourceIPInput.Descriptor) ? AddressRule.Side.DirectRemote
            : throw Unknown();
        return new RbacRule.Any([.. ip.CidrRanges.Select((range, i) => new AddressRule(side, AddressRange.Parse(range, $"{path}.custom_match.typed_config.cidr_ranges[{i}]")))]);

        ResourceRejectedException Unknown() => new(path + ".input", $"'{input?.Name}' is no address that is known here");
    }

    private static ConnectionTextRule.Text? TextOf(Google.Protobuf.WellKnownTypes.Any config)
        => config.Is(DestinationPortInput.Descriptor) ? ConnectionTextRule.Text.DestinationPort
            : config.Is(SourcePortInput.Descriptor) ? ConnectionTextRule.Text.SourcePort
            : config.Is(ServerNameInput.Descriptor) ? ConnectionTextRule.Text.ServerName
            : config.Is(UriSanInput.Descriptor) ? ConnectionTextRule.Text.UriNames
            : config.Is(DnsSanInput.Descriptor) ? ConnectionTextRule.Text.DnsNames
            : config.Is(SubjectInput.Descriptor) ? ConnectionTextRule.Text.Subject
            : null;

    /// <summary>A message of a kind of which nothing may be left out.</summary>
    public static T Open<T>(MessageParser<T> parser, Google.Protobuf.WellKnownTypes.Any packed, string path)
        where T : IMessage<T>
    {
        var message = WireMessage.Parse(parser, packed.Value, path);
        WireMessage.Validate(message, packed.Value, parser, path);
        return message;
    }

    private static WireText Wire(Text message, string path)
    {
        var text = new WireText { IgnoreCase = message.IgnoreCase };
        switch (message.MatchPatternCase)
        {
            case Text.MatchPatternOneofCase.Exact:
                text.Exact = message.Exact;
                break;
            case Text.MatchPatternOneofCase.Prefix:
                text.Prefix = message.Prefix;
                break;
            case Text.MatchPatternOneofCase.Suffix:
                text.Suffix = message.Suffix;
                break;
            case Text.MatchPatternOneofCase.Contains:
                text.Contains = message.Contains;
                break;
            case Text.MatchPatternOneofCase.SafeRegex:
                text.SafeRegex = new RegexMatcher { Regex = message.SafeRegex.Regex };
                break;
            case Text.MatchPatternOneofCase.Custom:
                throw new ResourceRejectedException(path + ".custom", "custom string matchers are not supported");
        }

        return text;
    }
}
