using Google.Protobuf;

namespace Mesh.Xds.Client;

/// <summary>A kind of resource that decodes to <typeparamref name="T"/>.</summary>
internal abstract class ResourceType<T>(string typeUrl, bool isFullStateInSotw) : ResourceType(typeUrl, isFullStateInSotw)
    where T : class
{
    public sealed override object Decode(ByteString body, out string name) => DecodeResource(body, out name);

    /// <inheritdoc cref="ResourceType.Decode"/>
    protected abstract T DecodeResource(ByteString body, out string name);
}
