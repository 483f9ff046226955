using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.Xds.Json;
using Mesh.Xds.Redaction;

namespace Mesh.Xds.ClientStatus;

/// <summary>Resources as they may be shown: without what only the owner may know. What cannot be looked into is not shown at all.</summary>
/// <remarks>For one answer: what was shown once is kept, because clients have much in common.</remarks>
internal sealed class ShownResources
{
    private readonly Dictionary<ByteString, Any?> _shown = new(ReferenceEqualityComparer.Instance);

    /// <param name="typeUrl">The kind.</param>
    /// <param name="bytes">The resource as it came; <see langword="null"/> for none.</param>
    public Any? Of(string typeUrl, ByteString? bytes)
    {
        if (bytes is null)
        {
            return null;
        }

        if (!_shown.TryGetValue(bytes, out var shown))
        {
            _shown.Add(bytes, shown = Show(typeUrl, bytes));
        }

        return shown;
    }

    private static Any? Show(string typeUrl, ByteString bytes)
    {
        if (XdsJson.Types.Find(Any.GetTypeName(typeUrl)) is not { } descriptor)
        {
            return null;
        }

        try
        {
            var message = descriptor.Parser.ParseFrom(bytes);
            return MessageRedaction.OfKnown(message) is not { } clean ? null
                : new Any { TypeUrl = typeUrl, Value = clean.Equals(message) ? bytes : clean.ToByteString() };
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }
}
