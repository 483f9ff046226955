namespace Mesh.ControlPlane.Security;

/// <summary>Tells one state of a file from another without reading it.</summary>
/// <param name="WrittenAt">When it was last written.</param>
/// <param name="Length">How long it is.</param>
/// <param name="Mode">Who may do what with it.</param>
internal readonly record struct FileStamp(DateTime WrittenAt, long Length, UnixFileMode Mode)
{
    /// <returns><see langword="null"/>: there is no such file.</returns>
    public static FileStamp? Of(string path)
    {
        var info = new FileInfo(path);
        if (info.LinkTarget is not null)
        {
            // A mounted secret is a link that never changes; what it leads to does.
            info = info.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? info;
        }

        return info.Exists ? new FileStamp(info.LastWriteTimeUtc, info.Length, info.UnixFileMode) : null;
    }
}
