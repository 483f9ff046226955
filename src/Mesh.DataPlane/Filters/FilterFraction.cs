using Envoy.Config.Core.V3;
using Envoy.Type.V3;
using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Filters;

/// <summary>Compiles the fractions of filters. There is no runtime that a <c>runtime_key</c> could be looked up in: the value that was sent counts.</summary>
internal static class FilterFraction
{
    public static Fraction? Compile(RuntimeFractionalPercent? message, string path, ICollection<string> notes)
    {
        if (message is null)
        {
            return null;
        }

        if (message.RuntimeKey.Length > 0)
        {
            notes.Add($"{path}.runtime_key is not looked up: there is no runtime, default_value counts");
        }

        return Compile(message.DefaultValue, path + ".default_value");
    }

    public static Fraction Compile(FractionalPercent? message, string path) => MatcherCompiler.Fraction(message ?? new FractionalPercent(), path);
}
