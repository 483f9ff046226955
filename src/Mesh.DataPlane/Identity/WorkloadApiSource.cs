using Envoy.Config.Core.V3;
using Mesh.DataPlane.Tls;
using Mesh.Xds.Ads;
using Mesh.Xds.Client;
using Mesh.Xds.Grpc;

namespace Mesh.DataPlane.Identity;

/// <summary>
/// An agent on this machine (SPIRE's, Istio's) that hands out certificates by Envoy's secret discovery service on a Unix socket. As Envoy does, each secret has
/// a stream of its own: agents answer a stream that asks for one.
/// </summary>
/// <param name="target">The socket.</param>
/// <param name="options">The names there.</param>
/// <param name="client">How a stream is kept: the node, the clock, the log.</param>
internal sealed class WorkloadApiSource(string target, MeshWorkloadApiOptions options, XdsClientOptions client) : IIdentitySource
{
    /// <summary>Where agents listen by convention, of which the first that is known is used.</summary>
    public const string IstioSocket = "/var/run/secrets/workload-spiffe-uds/socket";

    public string Description => $"the agent at {target}";

    /// <summary>What the settings say, else what the environment says (SPIFFE Workload Endpoint, section 4), else where Istio's agent listens.</summary>
    public static string TargetOf(MeshWorkloadApiOptions options, Func<string, string?> environment)
    {
        var socket = options.Socket is { Length: > 0 } configured ? configured : environment("SPIFFE_ENDPOINT_SOCKET") is { Length: > 0 } variable ? variable : IstioSocket;
        return socket.StartsWith("unix:", StringComparison.Ordinal) ? socket : "unix:" + socket;
    }

    public async Task RunAsync(WorkloadIdentity identity, CancellationToken cancellationToken)
    {
        await using var certificates = Connect();
        await using var authorities = Connect();
        using var certificate = certificates.Watch(SecretType.Instance, options.CertificateName, new Watcher(identity, ISecretSource.Certificate, secret => identity.UseCertificate(
            secret.Certificate ?? throw new IdentityException($"the agent's secret '{secret}' is no certificate"))));
        using var authority = authorities.Watch(SecretType.Instance, options.AuthoritiesName, new Watcher(identity, ISecretSource.Authorities, secret => identity.UseAuthorities(
            secret.Validation ?? throw new IdentityException($"the agent's secret '{secret}' is no validation context"))));
        await Task.Delay(Timeout.InfiniteTimeSpan, client.TimeProvider, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private XdsClient Connect()
        => new([new XdsServer(new GrpcAdsTransport(target, new GrpcChannelOptions { TimeProvider = client.TimeProvider }, DiscoveryMethods.Secrets))], client with { Delta = false, Peer = "the agent" });

    private sealed class Watcher(WorkloadIdentity identity, string name, Action<SecretResource> use) : IResourceWatcher<SecretResource>
    {
        private string? _refusal;

        public void OnChanged(string resourceName, SecretResource resource, string version)
        {
            try
            {
                use(resource);
                _refusal = null;
            }
            catch (Exception e) when (e is IdentityException or TlsFailureException)
            {
                _refusal = e.Message;
                identity.Fail(e.Message, isFinal: true, name);
            }
        }

        public void OnResourceError(string resourceName, ResourceError error) => identity.Fail(error.Message, error.Kind != ResourceErrorKind.Unavailable, name);

        public void OnAmbientError(string resourceName, ResourceError error) => identity.Fail(error.Message, isFinal: false, name);

        public void OnRecovered(string resourceName)
        {
            // An agent that is back has what it had; that may be what could not be used.
            if (_refusal is { } refusal)
            {
                identity.Fail(refusal, isFinal: true, name);
            }
            else
            {
                identity.Recover(name);
            }
        }
    }
}
