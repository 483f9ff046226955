namespace Mesh.Xds.Grpc;

/// <summary>A gRPC call that ended with a status other than OK.</summary>
internal sealed class RpcException(StatusCode status, string detail, Exception? inner = null)
    : Exception($"{status}: {detail}", inner)
{
    public StatusCode StatusCode { get; } = status;

    public string Detail { get; } = detail;
}
