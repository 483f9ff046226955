using Google.Protobuf;
using Google.Protobuf.Reflection;
using Mesh.ControlPlane.Config.Validation;

namespace Mesh.ControlPlane.Config;

/// <summary>A kind of document: its API group, the versions it is written in, and the message that holds its spec.</summary>
internal sealed record ConfigKind(string Group, string Kind, IReadOnlyList<string> Versions, MessageDescriptor Spec)
{
    private readonly string _name = Group.Length == 0 ? Kind : $"{Kind}.{Group}";

    /// <summary>The rules of its spec that a message type cannot say.</summary>
    public Action<IMessage, ValidationContext>? Validate { get; init; }

    /// <summary>The fields of its spec that this version applies; all when absent.</summary>
    public HonouredFieldSet? Honoured { get; init; }

    public override string ToString() => _name;
}
