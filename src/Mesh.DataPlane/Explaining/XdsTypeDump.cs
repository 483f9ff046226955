using Mesh.Xds.Client;

namespace Mesh.DataPlane.Explaining;

/// <summary>One kind of resource: how many there are, and how the last responses ended.</summary>
/// <param name="TypeUrl">The kind.</param>
/// <param name="Type">Its short name: <c>LDS</c>, <c>RDS</c>, <c>CDS</c>, <c>EDS</c>, <c>SDS</c>, or the message's name.</param>
/// <param name="Status">
/// <c>SYNCED</c>, <c>NACK</c> (the last response was refused), <c>STALE</c> (something is asked for and not answered), <c>NOT SENT</c> (nothing has come).
/// </param>
/// <param name="Resources">How many resources are in each of CSDS's states.</param>
/// <param name="Accepted">Responses that were acknowledged.</param>
/// <param name="Refused">Responses that were not.</param>
/// <param name="LastAck">The last that was.</param>
/// <param name="LastNack">The last that was not, with the text that the control plane got.</param>
internal sealed record XdsTypeDump(
    string TypeUrl, string Type, string Status, IReadOnlyDictionary<string, int> Resources, long Accepted, long Refused, XdsAnswer? LastAck, XdsAnswer? LastNack)
{
    public static XdsTypeDump Of(XdsTypeStatus type, IReadOnlyList<XdsResourceStatus> all)
    {
        var states = all.Where(r => r.TypeUrl == type.TypeUrl).CountBy(r => r.State).ToDictionary(StringComparer.Ordinal);
        return new XdsTypeDump(type.TypeUrl, ShortName(type.TypeUrl), StatusOf(type, states), states, type.Accepted, type.Refused, type.LastAck, type.LastNack);
    }

    /// <summary>As <c>istioctl proxy-status</c> calls a kind.</summary>
    public static string ShortName(string typeUrl)
        => typeUrl[(typeUrl.LastIndexOf('.') + 1)..] switch
        {
            "Listener" => "LDS",
            "RouteConfiguration" => "RDS",
            "Cluster" => "CDS",
            "ClusterLoadAssignment" => "EDS",
            "Secret" => "SDS",
            var other => other,
        };

    private static string StatusOf(XdsTypeStatus type, Dictionary<string, int> states)
        => type.LastNack is { } nack && (type.LastAck is not { } ack || ack.At < nack.At || states.ContainsKey("NACKED")) ? "NACK"
            : type.LastAck is null ? "NOT SENT"
            : states.ContainsKey("REQUESTED") ? "STALE"
            : "SYNCED";
}
