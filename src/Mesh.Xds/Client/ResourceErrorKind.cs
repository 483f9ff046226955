namespace Mesh.Xds.Client;

/// <summary>The three things that can be wrong with a watched resource.</summary>
internal enum ResourceErrorKind
{
    /// <summary>The server said so (removal), or did not answer within the resource timeout.</summary>
    DoesNotExist,

    /// <summary>The server sent one that was rejected.</summary>
    Invalid,

    /// <summary>The server cannot be reached.</summary>
    Unavailable,
}
