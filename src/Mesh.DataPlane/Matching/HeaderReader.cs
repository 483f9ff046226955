namespace Mesh.DataPlane.Matching;

/// <summary>Reads request headers where a door keeps them. One stateless instance a door; the carrier is that door's request.</summary>
internal abstract class HeaderReader
{
    /// <summary>The value of a header, several joined as they go over the wire; allocates only when several have to be joined.</summary>
    public abstract bool TryGet(object carrier, HeaderName name, out ReadOnlySpan<char> value);
}
