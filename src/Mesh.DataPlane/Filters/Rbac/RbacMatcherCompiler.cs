using Mesh.DataPlane.Resources;
using Mesh.Xds.Client;
using Message = Xds.Type.Matcher.V3.Matcher;

namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>
/// Compiles a matcher in place of rules. What is not known is refused with its path: a question that is left out lets in whom it was to keep out.
/// </summary>
internal static class RbacMatcherCompiler
{
    private const int MaxDepth = 16;

    /// <param name="message">The matcher.</param>
    /// <param name="isHttp">Whether it is for requests.</param>
    /// <param name="path">Where it stands.</param>
    /// <exception cref="ResourceRejectedException">It breaks a rule, or asks for what is not supported.</exception>
    public static RbacMatcher Compile(Message message, bool isHttp, string path)
        => new(List(message, new RbacPredicateCompiler(isHttp, lenient: false), path, 0), List(message, new RbacPredicateCompiler(isHttp, lenient: true), path, 0));

    private static RbacMatcherList List(Message message, RbacPredicateCompiler predicates, string path, int depth)
    {
        if (depth > MaxDepth)
        {
            throw new ResourceRejectedException(path, $"is nested more than {MaxDepth} times");
        }

        (RbacRule, RbacMatcherOutcome)[] matchers = message.MatcherTypeCase switch
        {
            Message.MatcherTypeOneofCase.MatcherList =>
            [
                .. message.MatcherList.Matchers.Select((m, i) =>
                {
                    var at = $"{path}.matcher_list.matchers[{i}]";
                    return (predicates.Compile(m.Predicate, at + ".predicate", depth), Outcome(m.OnMatch, predicates, at + ".on_match", depth));
                }),
            ],
            Message.MatcherTypeOneofCase.MatcherTree => Tree(message.MatcherTree, predicates, path + ".matcher_tree", depth),
            _ => [],
        };
        return new RbacMatcherList(matchers, message.OnNoMatch is null ? null : Outcome(message.OnNoMatch, predicates, path + ".on_no_match", depth));
    }

    private static (RbacRule, RbacMatcherOutcome)[] Tree(Message.Types.MatcherTree message, RbacPredicateCompiler predicates, string path, int depth)
    {
        switch (message.TreeTypeCase)
        {
            case Message.Types.MatcherTree.TreeTypeOneofCase.ExactMatchMap:
                return [.. message.ExactMatchMap.Map.Select(entry => (
                    predicates.Compile(message.Input, new() { Exact = entry.Key }, path),
                    Outcome(entry.Value, predicates, $"{path}.exact_match_map.map[\"{entry.Key}\"]", depth)))];
            case Message.Types.MatcherTree.TreeTypeOneofCase.PrefixMatchMap:
                // The longest that fits counts, and no other.
                return [.. message.PrefixMatchMap.Map.OrderByDescending(entry => entry.Key.Length).Select(entry => (
                    predicates.Compile(message.Input, new() { Prefix = entry.Key }, path),
                    Outcome(entry.Value, predicates, $"{path}.prefix_match_map.map[\"{entry.Key}\"]", depth)))];
            case Message.Types.MatcherTree.TreeTypeOneofCase.CustomMatch:
                throw new ResourceRejectedException(path + ".custom_match", $"'{message.CustomMatch.Name}' is not supported");
            default:
                throw new ResourceRejectedException(path, "one of exact_match_map and prefix_match_map must be set");
        }
    }

    private static RbacMatcherOutcome Outcome(Message.Types.OnMatch? message, RbacPredicateCompiler predicates, string path, int depth)
    {
        FieldRules.Refuse(message?.KeepMatching == true, path + ".keep_matching");
        switch (message?.OnMatchCase)
        {
            case Message.Types.OnMatch.OnMatchOneofCase.Matcher:
                return new RbacMatcherOutcome(null, List(message.Matcher, predicates, path + ".matcher", depth + 1));
            case Message.Types.OnMatch.OnMatchOneofCase.Action when message.Action.TypedConfig?.Is(Envoy.Config.Rbac.V3.Action.Descriptor) == true:
                var at = path + ".action.typed_config";
                var action = RbacPredicateCompiler.Open(Envoy.Config.Rbac.V3.Action.Parser, message.Action.TypedConfig, at);
                if (action.Name.Length == 0)
                {
                    throw new ResourceRejectedException(at + ".name", "must not be empty");
                }

                return new RbacMatcherOutcome(new RbacMatcherAction(action.Name, RbacCompiler.Action(action.Action_, at + ".action")), null);
            case Message.Types.OnMatch.OnMatchOneofCase.Action:
                throw new ResourceRejectedException(path + ".action", $"'{message.Action.Name}' is no envoy.config.rbac.v3.Action");
            default:
                throw new ResourceRejectedException(path, "one of matcher and action must be set");
        }
    }
}
