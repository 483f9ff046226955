using Envoy.Service.Status.V3;
using Mesh.Xds.Certificates;

namespace Mesh.Xds.Serving;

/// <summary>What a control plane tells of its clients (CSDS): what each was sent, and how far it is with it.</summary>
internal interface IClientStatusServer
{
    /// <exception cref="Grpc.RpcException">PERMISSION_DENIED: the caller may not know; INVALID_ARGUMENT: the question cannot be answered.</exception>
    ClientStatusResponse Read(ClientStatusRequest request, CallerCredentials caller);
}
