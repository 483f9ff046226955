namespace Mesh.DataPlane.Inbound.Http;

/// <summary>A connection that a listener of the mesh has taken in, as a feature of the connection finds it.</summary>
internal interface IInboundConnection
{
    /// <summary>What is known of it.</summary>
    ConnectionFacts Facts { get; }

    /// <summary>What happens to the next request on it, by the listener as it is now; <see langword="null"/> where the mesh says nothing of requests.</summary>
    InboundHttpTable? Http { get; }
}
