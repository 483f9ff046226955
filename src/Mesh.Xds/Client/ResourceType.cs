using Google.Protobuf;

namespace Mesh.Xds.Client;

/// <summary>What the ADS client has to know of one kind of resource. The protocol knows no Envoy type: decoders are injected.</summary>
internal abstract class ResourceType(string typeUrl, bool isFullStateInSotw)
{
    /// <summary>The type URL on the wire.</summary>
    public string TypeUrl { get; } = typeUrl;

    /// <summary>The short name for messages: <c>Listener</c>, <c>Cluster</c>.</summary>
    public string ShortName { get; } = typeUrl[(typeUrl.LastIndexOf('.') + 1)..];

    /// <summary>LDS and CDS: a state-of-the-world response is complete, so that a cached resource missing from it has been deleted.</summary>
    public bool IsFullStateInSotw { get; } = isFullStateInSotw;

    /// <summary>Decodes and validates one resource.</summary>
    /// <param name="body">The serialized message (the value of the <c>Any</c>).</param>
    /// <param name="name">The name that the resource itself carries; filled in as soon as it is known, so that a rejection can name it.</param>
    /// <returns>An immutable object; the client compares serialized bytes, never these objects.</returns>
    /// <exception cref="ResourceRejectedException">The resource is invalid.</exception>
    public abstract object Decode(ByteString body, out string name);
}
