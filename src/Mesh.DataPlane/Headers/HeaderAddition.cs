using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Headers;

/// <summary>Envoy's <c>HeaderValueOption</c>, compiled.</summary>
/// <param name="Name">The header.</param>
/// <param name="Value">Renders the value.</param>
/// <param name="Action">What happens where the header is there already.</param>
/// <param name="KeepEmptyValue">An empty value is sent too; otherwise it means no header.</param>
internal sealed record HeaderAddition(HeaderName Name, SubstitutionFormat Value, HeaderAppendAction Action, bool KeepEmptyValue)
{
    public bool IsOverwrite => Action is HeaderAppendAction.OverwriteIfExists or HeaderAppendAction.OverwriteIfExistsOrAdd;

    /// <summary>The value to write, or <see langword="null"/> when there is none to write.</summary>
    public string? ValueFor(HeaderMap headers, in FormatContext context)
    {
        var applies = Action switch
        {
            HeaderAppendAction.AddIfAbsent => !headers.Contains(Name),
            HeaderAppendAction.OverwriteIfExists => headers.Contains(Name),
            _ => true,
        };
        return applies && Value.Render(context) is var value && (value.Length > 0 || KeepEmptyValue) ? value : null;
    }
}
