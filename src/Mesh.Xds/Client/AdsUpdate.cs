using Google.Rpc;

namespace Mesh.Xds.Client;

/// <summary>A response in either variant of the protocol.</summary>
/// <remarks>In state of the world (<c>IsStateOfTheWorld</c>) the resources of LDS and CDS are complete.</remarks>
internal sealed record AdsUpdate(
    string TypeUrl,
    string Version,
    string Nonce,
    IReadOnlyList<AdsUpdateResource> Resources,
    IReadOnlyCollection<string> Removed,
    IReadOnlyCollection<(string Name, Status Error)> Errors,
    bool IsStateOfTheWorld)
{
    /// <summary>What the server calls itself (<c>control_plane.identifier</c>); empty when it does not say.</summary>
    public string ControlPlane { get; init; } = "";
}
