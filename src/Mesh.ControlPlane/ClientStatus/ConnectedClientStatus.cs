using Envoy.Admin.V3;
using Envoy.Service.Status.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.ControlPlane.Security;
using Mesh.Xds.Certificates;
using Mesh.Xds.ClientStatus;
using Mesh.Xds.Grpc;
using Mesh.Xds.Serving;

namespace Mesh.ControlPlane.ClientStatus;

/// <summary>What each connected client was sent and how far it is with it, for those who may read the status. No secret is in it.</summary>
internal sealed class ConnectedClientStatus(IAdsServer server, RoleBindings roles, AuditLog audit) : IClientStatusServer
{
    // A question about everything is answered in one message, which clients take up to 4 MiB of unless told otherwise.
    private const int MaxBytesWithContent = 3 * 1024 * 1024;

    public ClientStatusResponse Read(ClientStatusRequest request, CallerCredentials caller)
    {
        if (roles.Find(caller, MeshControlPlaneRole.StatusReader, out var reason) is null)
        {
            audit.Refused("the status of clients", null, caller.Remote, reason);
            throw new RpcException(StatusCode.PermissionDenied, "you have not the role that this takes: StatusReader, by Mesh:ControlPlane:Authentication:Roles, or be on the control plane's machine");
        }

        var match = new NodeMatch(request.NodeMatchers);
        var shown = new ShownResources();
        var response = new ClientStatusResponse();
        var left = request.ExcludeResourceContents ? 0 : MaxBytesWithContent;
        foreach (var connection in server.Connections)
        {
            if (connection.Node is not { } node || !match.IsMatch(node))
            {
                continue;
            }

            var config = new ClientConfig { Node = node.Clone(), ClientScope = connection.Connection.Id.ToString(System.Globalization.CultureInfo.InvariantCulture) };
            var types = connection.Types.ToDictionary(t => t.TypeUrl, StringComparer.Ordinal);
            foreach (var resource in server.ResourcesOf(connection.Connection.Id))
            {
                var status = Of(resource, types.GetValueOrDefault(resource.TypeUrl));
                if (left > 0 && shown.Of(resource.TypeUrl, resource.Body?.Value) is { } body)
                {
                    status.XdsConfig = body;
                    left -= body.Value.Length;
                }

                config.GenericXdsConfigs.Add(status);
            }

            response.Config.Add(config);
        }

        return response;
    }

    private static ClientConfig.Types.GenericXdsConfig Of(AdsResourceStatus resource, AdsTypeStatus? type)
    {
        var config = new ClientConfig.Types.GenericXdsConfig
        {
            TypeUrl = resource.TypeUrl,
            Name = resource.Name,
            VersionInfo = resource.Version,
            LastUpdated = type?.LastSent is { } sent ? Timestamp.FromDateTimeOffset(sent) : null,
            ConfigStatus = resource.State switch
            {
                AdsSyncState.Synced => ConfigStatus.Synced,
                AdsSyncState.Stale => ConfigStatus.Stale,
                AdsSyncState.Error => ConfigStatus.Error,
                _ => ConfigStatus.NotSent,
            },
            ClientStatus = resource.State switch
            {
                AdsSyncState.Synced => ClientResourceStatus.Acked,
                AdsSyncState.Error => ClientResourceStatus.Nacked,
                _ => resource.Version.Length == 0 ? ClientResourceStatus.DoesNotExist : ClientResourceStatus.Requested,
            },
        };
        if (resource.State == AdsSyncState.Error && type is not null)
        {
            config.ErrorState = new UpdateFailureState
            {
                Details = type.LastNack ?? "",
                VersionInfo = type.NackedVersion,
                LastUpdateAttempt = type.LastNacked is { } refused ? Timestamp.FromDateTimeOffset(refused) : null,
            };
        }

        return config;
    }
}
