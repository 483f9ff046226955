using Mesh.DataPlane.Tcp;

namespace Mesh.DataPlane.Inbound;

/// <summary>What a listener says of the connections that come in by a port of this process.</summary>
/// <param name="Chains">The filter chains.</param>
/// <param name="Default">For connections that none of them is for; <see langword="null"/> closes those.</param>
internal sealed record InboundListenerResource(IReadOnlyList<InboundFilterChain> Chains, InboundFilterChain? Default)
{
    /// <summary>How far, and how long, the first bytes are looked at.</summary>
    public InspectionSettings Inspection { get; init; } = InspectionSettings.Default;

    public IEnumerable<InboundFilterChain> All => Default is null ? Chains : Chains.Append(Default);
}
