using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Mesh.Xds.Serving;

/// <summary>One resource of the control plane: immutable, serialized once, shared by every stream.</summary>
internal sealed class AdsResource
{
    /// <summary>Packs a message; the version is a hash of its bytes, so that the same content has the same version after a restart.</summary>
    public AdsResource(string name, IMessage message)
    {
        Name = name;
        Body = Any.Pack(message);
        Version = ContentHash.Of(Body.Value.Span);
    }

    public string Name { get; }

    public Any Body { get; }

    public string Version { get; }
}
