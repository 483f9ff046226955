using Google.Protobuf;

namespace Mesh.Xds.Grpc;

/// <summary>One method of a service.</summary>
/// <param name="FullName">The path on the wire: <c>/package.Service/Method</c>.</param>
/// <param name="ResponseParser">Reads the responses.</param>
internal sealed record GrpcMethod<TRequest, TResponse>(string FullName, MessageParser<TResponse> ResponseParser)
    where TRequest : class, IMessage<TRequest>
    where TResponse : class, IMessage<TResponse>;
