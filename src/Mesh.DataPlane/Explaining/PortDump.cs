using Mesh.DataPlane.Inbound;

namespace Mesh.DataPlane.Explaining;

/// <summary>A port of this process that the mesh covers.</summary>
/// <param name="Name">The name of its listener on the wire.</param>
/// <param name="Address">What was bound.</param>
/// <param name="Status"><c>LIVE</c>, <c>WAITING</c> (connections wait for the listener) or <c>REFUSING</c>.</param>
/// <param name="Version">The version that is in force.</param>
/// <param name="Refusal">Why nobody is let in.</param>
/// <param name="Connections">Open connections.</param>
/// <param name="Draining">Those of them that would not be let in any more.</param>
/// <param name="Chains">Its filter chains; the last is the default one where there is one.</param>
internal sealed record PortDump(
    string Name, string Address, string Status, string Version, string? Refusal, int Connections, int Draining, IReadOnlyList<ChainDump> Chains)
{
    public static PortDump Of(InboundListener listener)
    {
        var table = listener.Current;
        var connections = listener.Connections;
        return new PortDump(
            listener.Name,
            listener.EndPoint.ToString(),
            table is not null ? "LIVE" : listener.Refusal is null ? "WAITING" : "REFUSING",
            table?.Version ?? "",
            listener.Refusal,
            connections.Count,
            connections.Count(c => c.IsDraining),
            [.. (table?.All ?? []).Select(ChainDump.Of)]);
    }
}
