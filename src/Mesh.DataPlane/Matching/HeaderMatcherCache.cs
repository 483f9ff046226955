using Google.Protobuf.Collections;

namespace Mesh.DataPlane.Matching;

/// <summary>Equal header conditions of one route configuration become one object: what many routes ask for stays in the processor's cache.</summary>
internal sealed class HeaderMatcherCache
{
    private readonly Dictionary<Envoy.Config.Route.V3.HeaderMatcher, HeaderMatcher> _matchers = [];
    private readonly Dictionary<RepeatedField<Envoy.Config.Route.V3.HeaderMatcher>, HeaderMatcher[]> _lists = [];

    public HeaderMatcher[] Compile(RepeatedField<Envoy.Config.Route.V3.HeaderMatcher> messages, string path)
    {
        if (messages.Count == 0)
        {
            return [];
        }

        if (!_lists.TryGetValue(messages, out var list))
        {
            list = new HeaderMatcher[messages.Count];
            for (var i = 0; i < list.Length; i++)
            {
                if (!_matchers.TryGetValue(messages[i], out var matcher))
                {
                    matcher = MatcherCompiler.Header(messages[i], $"{path}[{i}]");
                    _matchers.Add(messages[i], matcher);
                }

                list[i] = matcher;
            }

            _lists.Add(messages, list);
        }

        return list;
    }
}
