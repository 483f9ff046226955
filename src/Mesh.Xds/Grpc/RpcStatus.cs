namespace Mesh.Xds.Grpc;

/// <summary>How a call ended.</summary>
internal sealed record RpcStatus(StatusCode Code, string Message)
{
    public RpcException ToException() => new(Code, Message);
}
