using Google.Protobuf.Reflection;

namespace Mesh.ControlPlane.Config;

/// <summary>A kind of document: its API group, the versions it is written in, and the message that holds its spec.</summary>
internal sealed record ConfigKind(string Group, string Kind, IReadOnlyList<string> Versions, MessageDescriptor Spec)
{
    public override string ToString() => Group.Length == 0 ? Kind : $"{Kind}.{Group}";
}
