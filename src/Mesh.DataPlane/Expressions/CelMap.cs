using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Expressions;

/// <summary>Values by name, looked up where they lie. One object may stand for the maps of all requests, since it is told which one is meant.</summary>
internal abstract class CelMap
{
    /// <summary>How many there are; <see langword="null"/> where nobody counts.</summary>
    public virtual int? CountIn(in FormatContext context) => null;

    /// <returns>An error where there is none.</returns>
    public abstract CelValue Get(in FormatContext context, CelKey key);
}

/// <summary>A name that something is looked up by; what headers need of it is made once.</summary>
internal sealed class CelKey(string text)
{
    private HeaderName? _header;

    public string Text { get; } = text;

    public HeaderName? Header => _header ??= HeaderName.IsValid(Text.AsSpan(Text.StartsWith(':') ? 1 : 0)) ? new HeaderName(Text) : null;
}
