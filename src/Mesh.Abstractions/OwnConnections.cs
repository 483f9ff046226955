namespace Mesh;

/// <summary>Tells the connections that the mesh makes, or lets through knowingly, from those that are made beside it.</summary>
internal static class OwnConnections
{
    private static readonly AsyncLocal<bool> Marked = new();

    /// <summary>Whether what runs here makes connections in the mesh's name.</summary>
    public static bool AreMade => Marked.Value;

    /// <summary>Marks what the calling method does from here on; to be called in an asynchronous method, at whose end the mark ends.</summary>
    public static void Mark() => Marked.Value = true;
}
