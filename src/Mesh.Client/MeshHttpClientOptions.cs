namespace Mesh.Client;

/// <summary>What one named client says of the mesh.</summary>
internal sealed class MeshHttpClientOptions
{
    /// <summary>In or out; unset follows <see cref="MeshClientOptions.AllClients"/>.</summary>
    public bool? Enabled { get; set; }

    /// <summary>Responses or exceptions; unset follows <see cref="MeshClientOptions.LocalReplies"/>.</summary>
    public LocalReplyMode? LocalReplies { get; set; }
}
