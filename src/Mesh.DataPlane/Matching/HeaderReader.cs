namespace Mesh.DataPlane.Matching;

/// <summary>Reads headers where a door keeps them. One stateless instance a door and kind; the carrier is that door's message.</summary>
internal abstract class HeaderReader
{
    /// <summary>The value of a header, several joined as they go over the wire; allocates only when several have to be joined.</summary>
    public abstract bool TryGet(object carrier, HeaderName name, out ReadOnlySpan<char> value);

    /// <summary>
    /// One of the values that a header was sent with, by its place: those who judge whether a request may pass look at each. The first place that
    /// is empty is the end.
    /// </summary>
    public abstract bool TryGetLine(object carrier, HeaderName name, int index, out ReadOnlySpan<char> line);

    /// <summary>The first value of a header as it stands; <see langword="null"/> when there is none.</summary>
    public virtual string? First(object carrier, HeaderName name) => TryGet(carrier, name, out var value) ? value.ToString() : null;

    /// <summary>The bytes of all names and values; <see langword="null"/> where nobody counts them.</summary>
    public virtual long? ByteSize(object carrier) => null;
}
