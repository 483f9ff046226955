using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Expressions;

/// <summary>
/// A compiled expression over a request: the part of the Common Expression Language and of Envoy's attributes that telemetry is configured by. No
/// loops, no calls to anything, and no pattern that could take longer than its text is long.
/// </summary>
internal sealed class CelExpression
{
    private readonly CelNode _root;

    private CelExpression(string text, CelNode root) => (Text, _root) = (text, root);

    /// <summary>The expression as it was written.</summary>
    public string Text { get; }

    /// <summary>The headers of the request that it may look at, and perhaps some more: whatever it names in any way.</summary>
    public IReadOnlyList<string> RequestHeaders { get; private init; } = [];

    /// <exception cref="CelSyntaxException">It is none, or asks for what there is not here.</exception>
    public static CelExpression Parse(string text) => new(text, CelParser.Parse(text)) { RequestHeaders = HeadersOf(text) };

    public CelValue Evaluate(in FormatContext context) => _root.Evaluate(context);

    /// <summary>Whether it is true; what cannot be told is not.</summary>
    public bool IsTrue(in FormatContext context) => _root.Evaluate(context).IsTrue;

    /// <summary>The value as text; <see langword="null"/> when there is none.</summary>
    public string? TextOf(in FormatContext context) => _root.Evaluate(context).AsText();

    public override string ToString() => Text;

    private static string[] HeadersOf(string text)
    {
        var tokens = CelLexer.Read(text);
        return !tokens.Exists(t => t.IsName("request")) ? []
            : [.. tokens.Where(t => t.Kind is CelTokenKind.Name or CelTokenKind.String && HeaderName.IsValid(t.Text)).Select(t => t.Text).Concat(["referer", "user-agent", "x-request-id", "content-type"])];
    }
}
