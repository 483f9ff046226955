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

    private AdsResource(AdsResource other)
    {
        Name = other.Name;
        Body = other.Body;
        Version = other.Version;
        IsTentative = true;
    }

    public string Name { get; }

    public Any Body { get; }

    public string Version { get; }

    /// <summary>The control plane has just started and may not have seen everything: no reason to replace what a client brought along.</summary>
    public bool IsTentative { get; }

    /// <summary>The same resource, to be taken with that reserve.</summary>
    public AdsResource AsTentative() => new(this);
}
