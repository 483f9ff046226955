namespace Mesh.DataPlane.Telemetry.Peers;

/// <summary>Which service a request was for, in the words of Istio's labels.</summary>
internal sealed class ServiceNames : IEquatable<ServiceNames>
{
    private const int MaxLength = 253;
    private readonly int _hash;

    /// <param name="host">The host by which it is known in the mesh.</param>
    /// <param name="name">Its short name.</param>
    /// <param name="namespace">Its namespace; empty when that is not known.</param>
    public ServiceNames(string host, string name, string @namespace)
    {
        Host = Bounded(host);
        Name = Bounded(name);
        Namespace = Bounded(@namespace);
        _hash = HashCode.Combine(Host, Name, Namespace);
    }

    /// <summary>Nobody has said.</summary>
    public static ServiceNames Unknown { get; } = new("", "", "");

    /// <summary>Stands for all those that found no place among the label sets.</summary>
    public static ServiceNames Overflow { get; } = new(Xds.Metrics.CardinalityLimit.OverflowValue, Xds.Metrics.CardinalityLimit.OverflowValue, Xds.Metrics.CardinalityLimit.OverflowValue);

    public string Host { get; }

    public string Name { get; }

    public string Namespace { get; }

    /// <summary>Reads the metadata <c>istio.services</c> of clusters.</summary>
    public static ServiceNames? Of(Envoy.Config.Core.V3.Metadata? metadata)
    {
        if (metadata?.FilterMetadata.TryGetValue("istio", out var istio) != true
            || !istio!.Fields.TryGetValue("services", out var services)
            || services.ListValue?.Values is not [var first, ..]
            || first.StructValue is not { } service)
        {
            return null;
        }

        var host = Text(service, "host");
        var name = Text(service, "name");
        return host.Length == 0 ? null : new ServiceNames(host, name.Length > 0 ? name : host[..(host.IndexOf('.') is > 0 and var end ? end : host.Length)], Text(service, "namespace"));
    }

    public bool Equals(ServiceNames? other)
        => ReferenceEquals(this, other) || (other is not null && _hash == other._hash && Host == other.Host && Name == other.Name && Namespace == other.Namespace);

    public override bool Equals(object? obj) => Equals(obj as ServiceNames);

    public override int GetHashCode() => _hash;

    public override string ToString() => Host;

    private static string Bounded(string value) => value.Length > MaxLength ? value[..MaxLength] : value;

    private static string Text(Google.Protobuf.WellKnownTypes.Struct from, string name) => from.Fields.TryGetValue(name, out var value) ? value.StringValue : "";
}
