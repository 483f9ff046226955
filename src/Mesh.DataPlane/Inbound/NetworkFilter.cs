namespace Mesh.DataPlane.Inbound;

/// <summary>A filter of connections, which decides once what may pass.</summary>
/// <param name="name">Its name in the chain.</param>
internal abstract class NetworkFilter(string name)
{
    public string Name { get; } = name;

    /// <summary>Decides on a connection when all is known of it and nothing has been read: <see langword="false"/> closes it.</summary>
    public abstract bool Admits(ConnectionFacts connection);
}
