namespace Mesh.Xds.Certificates;

/// <summary>The token by which a control plane and its clients on one machine know each other to be of the same user.</summary>
internal static class LoopbackToken
{
    /// <summary>Where both look for it: in the user's own folder. <see langword="null"/>: the user has none.</summary>
    public static string? DefaultPath
        => Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData) is { Length: > 0 } folder ? Path.Combine(folder, "mesh", "loopback-token") : null;
}
