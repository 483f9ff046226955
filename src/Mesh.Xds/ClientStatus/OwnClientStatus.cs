using Envoy.Admin.V3;
using Envoy.Service.Status.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Xds.Client;
using Mesh.Xds.Grpc;

namespace Mesh.Xds.ClientStatus;

/// <summary>What one client tells of itself (CSDS, gRFC A40): every resource that it has asked for, and what has become of it.</summary>
internal static class OwnClientStatus
{
    /// <exception cref="RpcException">INVALID_ARGUMENT: the question is for a server of many clients.</exception>
    public static ClientStatusResponse Read(IXdsClient client, ClientStatusRequest request)
    {
        if (request.NodeMatchers.Count > 0)
        {
            throw new RpcException(StatusCode.InvalidArgument, "node_matchers: a client tells of itself only (gRFC A40)");
        }

        var shown = new ShownResources();
        var config = new ClientConfig { Node = client.Node.Clone() };
        config.GenericXdsConfigs.AddRange(client.Status.Resources
            .OrderBy(r => r.TypeUrl, StringComparer.Ordinal)
            .ThenBy(r => r.Name, StringComparer.Ordinal)
            .Select(r => Of(r, shown, withContent: !request.ExcludeResourceContents)));
        return new ClientStatusResponse { Config = { config } };
    }

    private static ClientConfig.Types.GenericXdsConfig Of(XdsResourceStatus resource, ShownResources shown, bool withContent)
    {
        var config = new ClientConfig.Types.GenericXdsConfig
        {
            TypeUrl = resource.TypeUrl,
            Name = resource.Name,
            VersionInfo = resource.Version,
            LastUpdated = resource.LastUpdated is { } updated ? Timestamp.FromDateTimeOffset(updated) : null,
            ClientStatus = StatusOf(resource.State),
            XdsConfig = withContent ? shown.Of(resource.TypeUrl, resource.Body) : null,
        };
        if (resource.Rejected is { } rejected)
        {
            config.ErrorState = new UpdateFailureState
            {
                Details = rejected.Details,
                VersionInfo = rejected.Version,
                LastUpdateAttempt = Timestamp.FromDateTimeOffset(rejected.At),
                FailedConfiguration = withContent ? shown.Of(resource.TypeUrl, rejected.Body) : null,
            };
        }
        else if (resource.Error is { } error)
        {
            config.ErrorState = new UpdateFailureState { Details = error };
        }

        return config;
    }

    private static ClientResourceStatus StatusOf(string state)
        => state switch
        {
            "REQUESTED" => ClientResourceStatus.Requested,
            "ACKED" => ClientResourceStatus.Acked,
            "NACKED" => ClientResourceStatus.Nacked,
            "DOES_NOT_EXIST" => ClientResourceStatus.DoesNotExist,
            "RECEIVED_ERROR" => ClientResourceStatus.ReceivedError,
            "TIMEOUT" => ClientResourceStatus.Timeout,
            _ => ClientResourceStatus.Unknown,
        };
}
