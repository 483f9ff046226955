using Google.Protobuf;

namespace Mesh.ControlPlane.Config;

/// <summary>One valid document.</summary>
/// <param name="Kind">Its kind.</param>
/// <param name="Name"><c>metadata.name</c>.</param>
/// <param name="Namespace"><c>metadata.namespace</c>, <c>default</c> when unset.</param>
/// <param name="Labels"><c>metadata.labels</c>.</param>
/// <param name="Annotations"><c>metadata.annotations</c>.</param>
/// <param name="Created"><c>metadata.creationTimestamp</c>, else when this document was first seen: the oldest VirtualService of a host wins.</param>
/// <param name="Spec">The typed spec; never changed after parsing.</param>
/// <param name="Source">Where it was written.</param>
internal sealed record ConfigResource(
    ConfigKind Kind,
    string Name,
    string Namespace,
    IReadOnlyDictionary<string, string> Labels,
    IReadOnlyDictionary<string, string> Annotations,
    DateTimeOffset Created,
    IMessage Spec,
    ConfigSource Source)
{
    /// <summary>Whether <see cref="Created"/> is written in the document; if not, it is when the document was first seen.</summary>
    public bool HasCreationTimestamp { get; init; }

    /// <summary>The path of the fields of <see cref="Spec"/> in the document; empty when they are all of it.</summary>
    public string SpecPath { get; init; } = "spec";

    /// <summary>Whether the author wrote a field of <see cref="Spec"/>: a zero and nothing are the same to a message.</summary>
    /// <returns><see langword="null"/> when nobody knows: the document was not read from YAML.</returns>
    public bool? IsWritten(string field) => Source.Marks?.IsWritten(SpecPath.Length == 0 ? field : $"{SpecPath}.{field}");

    /// <summary>The identity of a document: kind, namespace and name.</summary>
    public (string Kind, string Namespace, string Name) Key => (Kind.ToString(), Namespace, Name);

    public override string ToString() => $"{Kind.Kind} {Namespace}/{Name} ({Source})";
}
