using Mesh.EndToEnd.Tests.Dashboards.PromQl;

namespace Mesh.EndToEnd.Tests.Dashboards;

/// <summary>One expression that somebody looks at.</summary>
/// <param name="Place">The file and the panel, the variable or the alert.</param>
/// <param name="Text">The expression; what Grafana puts in is put in.</param>
/// <param name="Shown">Labels that the text beside it counts on: those of a legend or of an alert's description.</param>
internal sealed record Query(string Place, string Text, IReadOnlyList<string> Shown)
{
    public PromQlNode Parse()
    {
        try
        {
            return PromQlParser.Parse(Text);
        }
        catch (FormatException e)
        {
            throw new FormatException($"{Place}: {e.Message}", e);
        }
    }
}
