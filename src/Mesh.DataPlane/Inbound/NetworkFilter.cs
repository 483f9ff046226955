using Mesh.DataPlane.Filters;

namespace Mesh.DataPlane.Inbound;

/// <summary>A filter of connections, which decides once what may pass.</summary>
/// <param name="name">Its name in the chain.</param>
internal abstract class NetworkFilter(string name)
{
    public string Name { get; } = name;

    /// <summary>Decides on a connection when all is known of it and nothing has been read: <see langword="false"/> closes it.</summary>
    public abstract bool Admits(ConnectionFacts connection);

    /// <summary>How long a connection is held before it is closed, so that whoever tries again does not do so at once.</summary>
    public virtual TimeSpan RefusalDelay => TimeSpan.Zero;

    /// <summary>The same for a connection that has just been made: the decision is counted, and a refusal logged.</summary>
    public virtual bool Judge(ConnectionFacts connection, FilterServices services) => Admits(connection);
}
