using Mesh.DataPlane.Expressions;
using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Matching.Re2;

namespace Mesh.ControlPlane.Config.Validation;

/// <summary>What data planes would say of texts that documents hand on to them, said by their own readers.</summary>
internal static class DataPlaneTexts
{
    /// <returns>Why a pattern is no RE2; <see langword="null"/> when it is one.</returns>
    public static string? ProblemOfRegex(string pattern)
    {
        try
        {
            Re2Pattern.Parse(pattern);
            return null;
        }
        catch (Re2SyntaxException e)
        {
            return e.Message;
        }
    }

    /// <returns>Why a text is no format of commands that a data plane reads; <see langword="null"/> when it is one.</returns>
    public static string? ProblemOfFormat(string text)
    {
        try
        {
            return FormatCommands.FindOfConnectionsAlone(SubstitutionFormat.Parse(text, omitEmptyValues: false).NotAlwaysKnown) is { } command
                ? $"names {FormatCommands.WhyOfConnectionsAlone(command)}."
                : null;
        }
        catch (SubstitutionFormatException e)
        {
            return $"is not read by data planes: {e.Message}.";
        }
    }

    /// <returns>Why a text is no expression in CEL that a data plane reads; <see langword="null"/> when it is one.</returns>
    public static string? ProblemOfExpression(string text)
    {
        try
        {
            CelExpression.Parse(text);
            return null;
        }
        catch (CelSyntaxException e)
        {
            return e.Message;
        }
    }
}
