using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Headers;

/// <summary>The headers of one message, changed where its door keeps them; those of the content as well as those of the message.</summary>
internal abstract class HeaderMap
{
    public abstract bool Contains(HeaderName name);

    /// <summary>Every header, as far as a mutation may reach it.</summary>
    public abstract IEnumerable<string> Names { get; }

    public abstract void Remove(HeaderName name);

    /// <summary>Adds a value beside those that are there.</summary>
    public abstract void Add(HeaderName name, string value);

    /// <summary>Makes the value the only one.</summary>
    public void Set(HeaderName name, string value)
    {
        Remove(name);
        Add(name, value);
    }
}
