namespace Mesh.DataPlane.Outbound;

/// <summary>What becomes of a request to a host that the mesh does not know.</summary>
internal enum OutboundVerdict
{
    /// <summary>It goes on to where it was going, by the client's own means.</summary>
    Pass,

    /// <summary>It goes nowhere.</summary>
    Refuse,

    /// <summary>It is routed like any other, by <see cref="OutboundDecision.Entry"/>.</summary>
    Route,
}
