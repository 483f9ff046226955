using Mesh.DataPlane.Telemetry.Peers;
using Mesh.Xds.Metrics;

namespace Mesh.DataPlane.Telemetry.Metrics;

/// <summary>All that tells one label set of requests from another.</summary>
/// <param name="Peer">Who is at the other end.</param>
/// <param name="Service">Which service the request was for.</param>
/// <param name="Principals">Who both ends have proven to be.</param>
/// <param name="Flags">Envoy's response flags.</param>
/// <param name="Status">The response's, 0 for none.</param>
/// <param name="GrpcStatus">The gRPC status; negative for none.</param>
/// <param name="IsGrpc">Whether the request is a gRPC call.</param>
/// <param name="Expressed">Values of the operator's own expressions; <see langword="null"/> where there are none.</param>
internal readonly record struct RequestKey(
    Peer Peer, ServiceNames Service, Principals Principals, string Flags, int Status, int GrpcStatus, bool IsGrpc, string[]? Expressed)
{
    /// <summary>The same without anything that a stranger could make up.</summary>
    public RequestKey Collapsed() => new(Peer.Overflow, ServiceNames.Overflow, Principals.None, Flags, Status, GrpcStatus, IsGrpc, Overflowing(Expressed));

    public bool Equals(RequestKey other)
        => Status == other.Status && GrpcStatus == other.GrpcStatus && IsGrpc == other.IsGrpc && Peer.Equals(other.Peer) && Service.Equals(other.Service)
            && Principals.Equals(other.Principals) && Flags == other.Flags && Expressed.AsSpan().SequenceEqual(other.Expressed);

    // Of the parts that differ most; all of them have theirs already.
    public override int GetHashCode()
    {
        var hash = (Peer.GetHashCode() * 31) + Service.GetHashCode();
        hash = (hash * 31) + Principals.GetHashCode() + (Status << 8) + GrpcStatus;
        hash = Flags.Length > 0 ? (hash * 31) + Flags.GetHashCode(StringComparison.Ordinal) : hash;
        return Expressed is null ? hash : (hash * 31) + LabelValuesComparer.Instance.GetHashCode(Expressed);
    }

    /// <summary>As many values that stand for all others.</summary>
    public static string[]? Overflowing(string[]? values)
    {
        if (values is null)
        {
            return null;
        }

        var collapsed = new string[values.Length];
        Array.Fill(collapsed, CardinalityLimit.OverflowValue);
        return collapsed;
    }
}
