using Google.Protobuf.WellKnownTypes;

namespace Mesh.DataPlane.Telemetry.Peers;

/// <summary>Who is at one end of a request, in the words of Istio's labels. Nothing here is proven: it tells, and decides nothing.</summary>
internal sealed class Peer : IEquatable<Peer>
{
    /// <summary>What is not known.</summary>
    public const string UnknownValue = "unknown";

    private const string CanonicalName = "service.istio.io/canonical-name";
    private const string CanonicalRevisionLabel = "service.istio.io/canonical-revision";
    private const string Latest = "latest";

    // Longer ones are nobody's names; Kubernetes ends at 253.
    private const int MaxLength = 253;

    private readonly int _hash;

    public Peer(string workload, string @namespace, string canonicalService, string canonicalRevision, string app, string version, string cluster)
    {
        Workload = Known(workload, UnknownValue);
        Namespace = Known(@namespace, UnknownValue);
        CanonicalService = Known(canonicalService, UnknownValue);
        CanonicalRevision = Known(canonicalRevision, Latest);
        App = Known(app, UnknownValue);
        Version = Known(version, UnknownValue);
        Cluster = Known(cluster, UnknownValue);
        _hash = HashCode.Combine(Workload, Namespace, CanonicalService, CanonicalRevision, App, Version, Cluster);
    }

    /// <summary>Somebody outside of the mesh, or somebody who has not said.</summary>
    public static Peer Unknown { get; } = new("", "", "", "", "", "", "");

    /// <summary>Stands for all those that found no place among the label sets.</summary>
    public static Peer Overflow { get; } = All(Mesh.Xds.Metrics.CardinalityLimit.OverflowValue);

    public string Workload { get; }

    public string Namespace { get; }

    public string CanonicalService { get; }

    public string CanonicalRevision { get; }

    public string App { get; }

    public string Version { get; }

    public string Cluster { get; }

    /// <summary>
    /// Reads what endpoints say of themselves: <c>workload;namespace;canonical-name;canonical-revision;cluster</c>. The labels <c>app</c> and <c>version</c>
    /// are not among them; the canonical name and revision are made of those labels, and stand in for them.
    /// </summary>
    /// <returns><see langword="null"/> when it is something else.</returns>
    public static Peer? OfEndpoint(string text)
    {
        var parts = text.Split(';');
        return parts.Length < 4 ? null : new Peer(parts[0], parts[1], parts[2], parts[3], parts[2], parts[3], parts.Length > 4 ? parts[4] : "");
    }

    /// <summary>Reads the metadata of a node, as it goes to the control plane and from peer to peer.</summary>
    public static Peer OfNode(Struct metadata)
    {
        var labels = metadata.Fields.TryGetValue("LABELS", out var given) && given.KindCase == Value.KindOneofCase.StructValue ? given.StructValue : new Struct();
        var workload = Text(metadata, "WORKLOAD_NAME");
        var app = Text(labels, "app");
        var version = Text(labels, "version");

        // Istio's order of the labels that name a service to people.
        var canonical = First(Text(labels, CanonicalName), Text(labels, "app.kubernetes.io/name"), app, workload);
        var revision = First(Text(labels, CanonicalRevisionLabel), Text(labels, "app.kubernetes.io/version"), version);
        return new Peer(workload, Text(metadata, "NAMESPACE"), canonical, revision, app, version, Text(metadata, "CLUSTER_ID"));
    }

    /// <summary>The metadata of a node that is read as this peer, without what is not known.</summary>
    public Struct ToNode()
    {
        var metadata = new Struct();
        var labels = new Struct();
        Add(metadata, "WORKLOAD_NAME", Workload);
        Add(metadata, "NAMESPACE", Namespace);
        Add(metadata, "CLUSTER_ID", Cluster);
        Add(labels, "app", App);
        Add(labels, "version", Version);
        Add(labels, CanonicalName, CanonicalService);
        Add(labels, CanonicalRevisionLabel, CanonicalRevision);
        metadata.Fields.Add("LABELS", new Value { StructValue = labels });
        return metadata;

        static void Add(Struct to, string name, string value)
        {
            if (value != UnknownValue)
            {
                to.Fields.Add(name, new Value { StringValue = value });
            }
        }
    }

    /// <summary>The same, in another namespace.</summary>
    public Peer In(string @namespace)
        => @namespace == Namespace ? this : new Peer(Workload, @namespace, CanonicalService, CanonicalRevision, App, Version, Cluster);

    public bool Equals(Peer? other)
        => ReferenceEquals(this, other)
            || (other is not null && _hash == other._hash && Workload == other.Workload && Namespace == other.Namespace && CanonicalService == other.CanonicalService
                && CanonicalRevision == other.CanonicalRevision && App == other.App && Version == other.Version && Cluster == other.Cluster);

    public override bool Equals(object? obj) => Equals(obj as Peer);

    public override int GetHashCode() => _hash;

    public override string ToString() => $"{Workload}.{Namespace}";

    private static Peer All(string value) => new(value, value, value, value, value, value, value);

    private static string Known(string value, string otherwise) => value.Length == 0 ? otherwise : value.Length > MaxLength ? value[..MaxLength] : value;

    private static string First(params ReadOnlySpan<string> values)
    {
        foreach (var value in values)
        {
            if (value.Length > 0)
            {
                return value;
            }
        }

        return "";
    }

    private static string Text(Struct from, string name) => from.Fields.TryGetValue(name, out var value) ? value.StringValue : "";
}
