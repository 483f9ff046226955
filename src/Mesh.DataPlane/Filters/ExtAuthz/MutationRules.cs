using Envoy.Config.Common.MutationRules.V3;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Matching.Re2;

namespace Mesh.DataPlane.Filters.ExtAuthz;

/// <summary>Which headers somebody else may change (<c>HeaderMutationRules</c>): by default neither where a request goes nor what the mesh says of it.</summary>
internal sealed class MutationRules(HeaderMutationRules message, string path)
{
    private readonly Re2Pattern? _allowed = message.AllowExpression is { } allowed ? MatcherCompiler.Regex(allowed, path + ".allow_expression") : null;
    private readonly Re2Pattern? _disallowed = message.DisallowExpression is { } disallowed ? MatcherCompiler.Regex(disallowed, path + ".disallow_expression") : null;
    private readonly bool _allowsRouting = message.AllowAllRouting ?? false;
    private readonly bool _allowsEnvoy = message.AllowEnvoy ?? false;
    private readonly bool _disallowsSystem = message.DisallowSystem ?? false;
    private readonly bool _disallowsAll = message.DisallowAll ?? false;

    /// <summary>What may not be changed makes the whole answer invalid.</summary>
    public bool DisallowedIsError { get; } = message.DisallowIsError ?? false;

    public bool Allow(string name, bool removes)
    {
        if (removes && (name[0] == ':' || name == "host"))
        {
            return false;
        }

        if (_disallowed?.IsFullMatch(name) == true)
        {
            return false;
        }

        if (_allowed?.IsFullMatch(name) == true)
        {
            return true;
        }

        return !_disallowsAll
            && !(_disallowsSystem && name[0] == ':')
            && (_allowsEnvoy || !name.StartsWith("x-envoy", StringComparison.Ordinal))
            && (_allowsRouting || name is not ("host" or ":authority" or ":scheme" or ":method"));
    }
}
