using Google.Protobuf;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Resources;

/// <summary>Parsing with errors that say where.</summary>
internal static class Protobuf
{
    public static T Parse<T>(MessageParser<T> parser, ByteString body, string path = "")
        where T : IMessage<T>
    {
        try
        {
            return parser.ParseFrom(body);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new ResourceRejectedException(path.Length == 0 ? typeof(T).Name : path, $"cannot be decoded: {e.Message}");
        }
    }

    public static void Validate<T>(T message, ByteString body, MessageParser<T> parser, string path = "")
        where T : IMessage<T>
    {
    }
}
