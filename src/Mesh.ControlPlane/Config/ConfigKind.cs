using Google.Protobuf;
using Google.Protobuf.Reflection;
using Mesh.ControlPlane.Config.Reading;
using Mesh.ControlPlane.Config.Validation;
using Mesh.ControlPlane.Config.Yaml;

namespace Mesh.ControlPlane.Config;

/// <summary>A kind of document: its API group, the versions it is written in, and the message that holds its spec.</summary>
internal sealed record ConfigKind(string Group, string Kind, IReadOnlyList<string> Versions, MessageDescriptor Spec)
{
    private readonly string _name = Group.Length == 0 ? Kind : $"{Kind}.{Group}";

    /// <summary>The rules of its spec that a message type cannot say.</summary>
    public Action<IMessage, ValidationContext>? Validate { get; init; }

    /// <summary>The fields of its spec that this version applies; all when absent.</summary>
    public HonouredFieldSet? Honoured { get; init; }

    /// <summary>
    /// Reads a kind whose fields stand beside <c>metadata</c> and not in a spec; <see langword="null"/> for a document that means nothing to the mesh.
    /// </summary>
    public Func<YamlMapping, YamlPath, ReadContext, IMessage?>? ReadBesideMetadata { get; init; }

    public override string ToString() => _name;
}
