using Envoy.Config.Core.V3;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Registry;
using Mesh.Xds.Grpc;
using Mesh.Xds.Serving;

namespace Mesh.ControlPlane.Security;

/// <summary>Stands at the door of the ADS streams: nobody becomes a workload by saying so.</summary>
/// <param name="authenticator">Finds out who calls.</param>
/// <param name="trustsLocalUsers">Whether who is on this machine may have private keys without more proof (development).</param>
/// <param name="requireProof">Whether streams that prove nothing are refused.</param>
/// <param name="time">The clock.</param>
/// <param name="audit">Where it is written down.</param>
internal sealed class Gatekeeper(CallerAuthenticator authenticator, bool trustsLocalUsers, bool requireProof, TimeProvider time, AuditLog audit)
{
    /// <summary>The longest that a timer takes.</summary>
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(40);

    /// <summary>Who a node is; <see langword="null"/>: nothing proves it, and it is served as far as that goes.</summary>
    /// <exception cref="RpcException">UNAUTHENTICATED: what it shows proves nothing; PERMISSION_DENIED: it is somebody else than it says.</exception>
    public AuthenticatedCaller? Admit(AdsConnectionInfo connection, Node node)
    {
        if (connection.IsInProcess)
        {
            return null;
        }

        var (caller, failure) = authenticator.Authenticate(connection.Caller);
        if (caller is null)
        {
            return failure is null && !requireProof
                ? null
                : throw Refuse(StatusCode.Unauthenticated, failure ?? "nothing proves who this is, and this control plane serves nobody else (Mesh:ControlPlane:Authentication:RequireForClients)");
        }

        // As Istio: the namespace must be the credential's, and the account if the node says one or wants to be called.
        var metadata = new NodeMetadata(node, caller.Accounts.Single);
        var agrees = metadata.SaidServiceAccount is not null || metadata.HasAddresses
            ? caller.Accounts.Contains(metadata.Namespace, metadata.ServiceAccount)
            : caller.Accounts.IsOf(metadata.Namespace);
        return agrees
            ? caller
            : throw Refuse(StatusCode.PermissionDenied, $"the node says that it is {metadata.Namespace}/{metadata.ServiceAccount}, and its credential stands for {caller.Accounts}");

        RpcException Refuse(StatusCode status, string reason)
        {
            audit.StreamRefused(node.Id, caller?.Credential, connection.RemoteEndPoint, reason);
            return new RpcException(status, reason);
        }
    }

    /// <summary>Whether a node may have the private keys of its namespace.</summary>
    public bool MayReadKeys(AdsConnectionInfo connection, AuthenticatedCaller? caller)
        => connection.IsInProcess || caller is not null || (trustsLocalUsers && ServiceRegistry.IsLocal(connection));

    /// <summary>Fires when the proof ends; the view disposes of it.</summary>
    public CancellationTokenSource? ExpiryOf(AuthenticatedCaller? caller)
    {
        if (caller?.Expires is not { } expires)
        {
            return null;
        }

        var left = expires - time.GetUtcNow();
        return left > LongestTimer ? null : new CancellationTokenSource(left > TimeSpan.Zero ? left : TimeSpan.Zero, time);
    }

    /// <summary>Writes down which documents have changed.</summary>
    public void TellConfig(ConfigSnapshot? before, ConfigSnapshot now) => ConfigAudit.Tell(before, now, audit);

    /// <summary>Writes down who registered, or was not let.</summary>
    public void Tell(AdsConnectionInfo connection, Node node, NodeMetadata metadata, AuthenticatedCaller? caller, bool registered)
    {
        if (!metadata.HasAddresses || connection.IsInProcess)
        {
            return;
        }

        var account = $"{metadata.Namespace}/{metadata.ServiceAccount}";
        if (registered)
        {
            audit.Registered(node.Id, caller?.Credential, connection.RemoteEndPoint, account);
        }
        else
        {
            audit.RegistrationRefused(node.Id, caller?.Credential, connection.RemoteEndPoint, account, "see the warning of the registry: it is served as a client only");
        }
    }
}
