namespace Mesh.ControlPlane.Config.Sources;

internal enum FileState
{
    Text,

    /// <summary>There, but empty, unreadable, too large or no text: the last good documents serve on.</summary>
    Unusable,

    Missing,
}
