namespace Mesh.Xds.Client;

/// <summary>A moment's view of the client.</summary>
internal sealed record XdsClientStatus(
    string Server,
    bool Connected,
    string? LastError,
    IReadOnlyList<XdsResourceStatus> Resources)
{
    /// <summary>The kinds that are asked for, in the order in which they first were.</summary>
    public IReadOnlyList<XdsTypeStatus> Types { get; init; } = [];

    /// <summary>What the server calls itself (<c>control_plane.identifier</c>); <see langword="null"/> before its first response.</summary>
    public string? ControlPlane { get; init; }
}
