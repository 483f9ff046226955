namespace Mesh.DataPlane.Upstream;

/// <summary>How the body of an upstream's response came to its end.</summary>
internal enum BodyEnd : byte
{
    /// <summary>It has not yet, or nobody has read so far.</summary>
    Open,

    /// <summary>With its last byte.</summary>
    Complete,

    /// <summary>The upstream has reset the stream.</summary>
    Reset,

    /// <summary>The upstream's connection is gone.</summary>
    Terminated,

    /// <summary>What came is no HTTP.</summary>
    ProtocolError,
}
