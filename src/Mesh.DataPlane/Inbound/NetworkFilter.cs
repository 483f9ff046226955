using Mesh.DataPlane.Filters;

namespace Mesh.DataPlane.Inbound;

/// <summary>A filter of connections, which decides once what may pass.</summary>
/// <param name="name">Its name in the chain.</param>
internal abstract class NetworkFilter(string name)
{
    public string Name { get; } = name;

    /// <summary>
    /// Decides on a connection when all is known of it and nothing has been read: <see langword="false"/> closes it. A filter that asks somebody else
    /// has nothing to say here.
    /// </summary>
    public abstract bool Admits(ConnectionFacts connection);

    /// <summary>How long a connection is held before it is closed, so that whoever tries again does not do so at once.</summary>
    public virtual TimeSpan RefusalDelay => TimeSpan.Zero;

    /// <summary>The clusters by which it asks.</summary>
    public virtual IEnumerable<string> Clusters => [];

    /// <summary>Decides on a connection that has just been made: whoever is to be asked is, the decision is counted, and a refusal logged.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="metadata">What the filters before it have left.</param>
    /// <param name="services">Time, chance, and whom to call.</param>
    /// <param name="cancellationToken">Ends when the connection does.</param>
    public virtual ValueTask<bool> JudgeAsync(ConnectionFacts connection, ConnectionMetadata metadata, FilterServices services, CancellationToken cancellationToken)
        => new(Admits(connection));
}
