namespace Mesh;

/// <summary>Tells the connections that the mesh makes, or lets through knowingly, from those that are made beside it.</summary>
internal static class OwnConnections
{
    private static readonly AsyncLocal<bool> Marked = new();
    private static readonly System.Collections.Concurrent.ConcurrentDictionary<int, bool> Listeners = new();

    /// <summary>Whether what runs here makes connections in the mesh's name.</summary>
    public static bool AreMade => Marked.Value;

    /// <summary>Marks what the calling method does from here on; to be called in an asynchronous method, at whose end the mark ends.</summary>
    public static void Mark() => Marked.Value = true;

    /// <summary>Who connects to this port of this machine comes to the mesh.</summary>
    public static void AddListener(int port) => Listeners[port] = true;

    public static void RemoveListener(int port) => Listeners.TryRemove(port, out _);

    public static bool IsListener(System.Net.IPAddress address, int port) => System.Net.IPAddress.IsLoopback(address) && Listeners.ContainsKey(port);
}
