namespace Mesh.DataPlane.Bypass;

/// <summary>What is known of the connections that this process has made beside the mesh.</summary>
internal interface IBypassedHosts
{
    /// <summary>How many connections were made to each host, by <c>host:port</c>.</summary>
    IReadOnlyDictionary<string, long> ByHost { get; }

    /// <summary>Connections to hosts that were too many to be told apart.</summary>
    long Others { get; }
}
