namespace Mesh.DataPlane.Inbound.Http;

/// <summary>What becomes of a request whose path was normalised.</summary>
internal enum PathVerdict
{
    Continue,

    /// <summary>400: it is no path, or one that must not be.</summary>
    Reject,

    /// <summary>307 to the normalised path.</summary>
    Redirect,
}
