using System.Text.Json;
using Mesh.Peers.Tests.Callers;
using Mesh.TestNet;
using Mesh.Xds.Ads;
using Mesh.Xds.Serving;

namespace Mesh.Peers.Tests.GuardedServers;

/// <summary>A gRPC server that nobody here wrote takes the listener of its port from the control plane, and enforces what Istio's YAML says.</summary>
[Trait("Category", "Peers")]
public sealed class GuardedServerTests
{
    private const string Say = "/mesh.peers.Echo/Say";
    private const string Delete = "/mesh.peers.Echo/Delete";

    [PeerFact("C-core", Unless = "import grpc; assert not hasattr(grpc, 'xds_server_credentials')")]
    public async Task The_C_core_server_enforces_STRICT_and_the_policies_that_allow_and_deny()
    {
        // 1. Certificates as a mesh gives them out, and a port under STRICT that web may call, but not to delete.
        using var certificates = new MeshCertificates();
        var port = FreePort.Next();
        await using var control = await ControlPlaneHost.StartAsync(Documents(port));

        // 2. The server starts, and asks for the listener of its port.
        var environment = new Dictionary<string, string>(control.ServerBootstrap("reviews-1", "reviews", certificates)) { ["GRPC_XDS_EXPERIMENTAL_RBAC"] = "true" };
        await using var server = Peer.Python.Run("guarded_server", environment, $"127.0.0.1:{port}", certificates.Authority, MeshCertificates.ServerName);
        (await server.ReadLineAsync()).ShouldBe("started");

        // 3. Who may, may; nobody else does.
        (await CallAsync(Say, "web")).ShouldBe("OK");
        (await CallAsync(Delete, "web")).ShouldBe("PERMISSION_DENIED");
        (await CallAsync(Say, "other")).ShouldBe("PERMISSION_DENIED");
        (await CallAsync(Say, null)).ShouldBe("UNAVAILABLE");

        // 4. The listener was taken as it is.
        var epoch = control.Server.Push(AdsChange.Everything);
        await control.Server.WhenAcknowledgedAsync(epoch, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30));
        var connection = control.Server.Connections.Single(open => open.Node!.Id == "reviews-1");
        var listener = connection.Types.Single(type => type.TypeUrl == TypeUrls.Listener);
        listener.LastNack.ShouldBeNull();
        listener.AckedVersion.ShouldBe(listener.SentVersion);
        control.Refusals.Messages.ShouldBeEmpty();

        async Task<string> CallAsync(string method, string? account)
        {
            await server.WriteLineAsync(account is null ? method : $"{method} {certificates.CertificateOf(account)} {certificates.KeyOf(account)}");
            return await server.ReadLineAsync();
        }
    }

    private static string Documents(int port) => $$$"""
        apiVersion: v1
        kind: Service
        metadata: {name: reviews}
        spec:
          selector: {app: reviews}
          ports: [{name: grpc, port: 9080, targetPort: {{{port}}} }]
        ---
        apiVersion: security.istio.io/v1
        kind: PeerAuthentication
        metadata: {name: default, namespace: istio-system}
        spec:
          mtls: {mode: STRICT}
        ---
        apiVersion: security.istio.io/v1
        kind: AuthorizationPolicy
        metadata: {name: web}
        spec:
          selector: {matchLabels: {app: reviews}}
          rules:
          - from:
            - source: {principals: [cluster.local/ns/default/sa/web]}
        ---
        apiVersion: security.istio.io/v1
        kind: AuthorizationPolicy
        metadata: {name: no-deletes}
        spec:
          action: DENY
          rules:
          - to:
            - operation: {paths: ["*/Delete"], ports: ["{{{port}}}"]}
        """;
}
