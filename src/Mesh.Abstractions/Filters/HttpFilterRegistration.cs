namespace Mesh.Filters;

/// <summary>A filter of the application: which configuration it takes, and what to make of it.</summary>
/// <param name="TypeUrl">The type URL, or the bare name of the type.</param>
/// <param name="FilterType">A class derived from <see cref="HttpFilter"/>.</param>
internal sealed record HttpFilterRegistration(string TypeUrl, Type FilterType)
{
    /// <summary>The name of the type, without <c>type.googleapis.com/</c>.</summary>
    public string TypeName { get; } = TypeUrl[(TypeUrl.LastIndexOf('/') + 1)..];
}
