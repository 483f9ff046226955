using Mesh.DataPlane.Tcp;
using Mesh.DataPlane.Telemetry;

namespace Mesh.DataPlane.Inbound;

/// <summary>What a listener says of the connections that come in by a port of this process.</summary>
/// <param name="Chains">The filter chains.</param>
/// <param name="Default">For connections that none of them is for; <see langword="null"/> closes those.</param>
internal sealed record InboundListenerResource(IReadOnlyList<InboundFilterChain> Chains, InboundFilterChain? Default)
{
    /// <summary>How far, and how long, the first bytes are looked at.</summary>
    public InspectionSettings Inspection { get; init; } = InspectionSettings.Default;

    /// <summary>What it says itself of signals of all its connections, those included that no chain is for.</summary>
    public SignalSettings Signals { get; init; } = SignalSettings.Default;

    public IEnumerable<InboundFilterChain> All => Default is null ? Chains : Chains.Append(Default);
}
