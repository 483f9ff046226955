using Mesh.Xds.Client;

namespace Mesh.DataPlane.Explaining;

/// <summary>How this process stands with its control plane.</summary>
/// <param name="Server">The server.</param>
/// <param name="Connected">Whether there is a stream to it.</param>
/// <param name="LastError">Why there is none.</param>
/// <param name="Types">The kinds of resources that are asked for.</param>
/// <param name="Resources">The resources, without what is in them.</param>
internal sealed record XdsDump(string Server, bool Connected, string? LastError, IReadOnlyList<XdsTypeDump> Types, IReadOnlyList<XdsResourceDump> Resources)
{
    /// <summary>What the server calls itself; <see langword="null"/> before its first response.</summary>
    public string? ControlPlane { get; init; }

    public static XdsDump Of(XdsClientStatus status)
        => new(
            status.Server,
            status.Connected,
            status.LastError,
            [.. status.Types.Select(t => XdsTypeDump.Of(t, status.Resources))],
            [.. status.Resources.Select(r => new XdsResourceDump(r.TypeUrl, r.Name, r.State, r.Version, r.Error, r.LastUpdated, r.Rejected?.Version))])
        {
            ControlPlane = status.ControlPlane,
        };
}
