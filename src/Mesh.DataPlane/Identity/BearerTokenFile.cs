namespace Mesh.DataPlane.Identity;

/// <summary>The file with the token that proves who a workload is. Whoever renews the token writes the file anew, so it is read for every call.</summary>
internal static class BearerTokenFile
{
    private const int MaxSize = 64 * 1024;

    /// <returns>The token; <see langword="null"/> when there is no such file.</returns>
    /// <exception cref="IdentityException">It cannot be read, or holds no token. The message does not hold it either.</exception>
    public static string? Read(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            if (file.Length > MaxSize)
            {
                throw new IdentityException($"the token file {path} has {file.Length} bytes; a token has at most {MaxSize}");
            }

            using var reader = new StreamReader(file);
            var token = reader.ReadToEnd().Trim();
            return token.Length == 0 ? throw new IdentityException($"the token file {path} is empty")
                : token.All(c => c is > ' ' and < '\x7f') ? token
                : throw new IdentityException($"the token file {path} holds something that is no token");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IdentityException($"the token file {path} cannot be read: {e.Message}", e);
        }
    }
}
