namespace Mesh.DataPlane.Dns;

/// <summary>A small file that is read again when it has changed, which its reader finds out by asking; glibc treats <c>resolv.conf</c> so.</summary>
internal sealed class WatchedFile<T>(string path, Func<string, T> parse)
    where T : class
{
    private sealed record Version(DateTime Written, long Length, T Content);

    private const long MaxLength = 4 << 20;

    private Version? _current;

    /// <summary>The content; that of an empty file when there is none that can be read and none has been read before.</summary>
    public T Read()
    {
        var current = Volatile.Read(ref _current);
        try
        {
            var file = new FileInfo(path);
            if (file.Exists && file.Length <= MaxLength)
            {
                if (current is null || current.Written != file.LastWriteTimeUtc || current.Length != file.Length)
                {
                    current = new Version(file.LastWriteTimeUtc, file.Length, parse(File.ReadAllText(path)));
                    Volatile.Write(ref _current, current);
                }

                return current.Content;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Being replaced at this moment: what was read before stands.
        }

        return current?.Content ?? parse("");
    }
}
