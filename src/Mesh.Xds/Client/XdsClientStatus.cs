namespace Mesh.Xds.Client;

/// <summary>A moment's view of the client.</summary>
internal sealed record XdsClientStatus(
    string Server,
    bool Connected,
    string? LastError,
    IReadOnlyList<XdsResourceStatus> Resources);
