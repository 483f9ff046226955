using Google.Protobuf.WellKnownTypes;

namespace Mesh.DataPlane.Transports;

/// <summary>How connections are made to the endpoints of which something is said (Envoy's <c>TransportSocketMatch</c>).</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Labels">What must stand in an endpoint's metadata, all of it; nothing is for every endpoint.</param>
/// <param name="Transport">How connections are made.</param>
internal sealed record TransportMatch(string Name, IReadOnlyDictionary<string, Value> Labels, TransportSettings Transport)
{
    /// <summary>The part of an endpoint's metadata that is looked at.</summary>
    public const string MetadataKey = "envoy.transport_socket_match";

    /// <summary>What a message says, by name.</summary>
    public static IReadOnlyDictionary<string, Value>? LabelsOf(Struct? message) => message is null ? null : new Dictionary<string, Value>(message.Fields, StringComparer.Ordinal);

    public bool IsFor(IReadOnlyDictionary<string, Value>? labels)
        => Labels.All(label => labels?.TryGetValue(label.Key, out var value) == true && value.Equals(label.Value));
}
