using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Google.Rpc;
using Mesh.Xds.Ads;
using Mesh.Xds.Serving;

namespace Mesh.Xds.Server.Tests;

/// <summary>A control plane with clusters only.</summary>
internal sealed class TestBackend : IAdsBackend
{
    private volatile IReadOnlyList<AdsResource> _clusters = [];

    public void Set(params string[] clusters) => _clusters = clusters.Select(name => new AdsResource(name, new Cluster { Name = name })).ToList();

    public IAdsNodeView Connect(AdsConnectionInfo connection, Node node) => new View(this);

    private sealed class View(TestBackend backend) : IAdsNodeView
    {
        public IReadOnlyCollection<AdsResource> GetResources(string typeUrl, bool wildcard, IReadOnlyCollection<string> names) =>
            backend._clusters.Where(cluster => wildcard || names.Contains(cluster.Name)).ToList();

        public bool Serves(string typeUrl) => typeUrl == TypeUrls.Cluster;

        public void OnAck(string typeUrl, string version)
        {
        }

        public void OnNack(string typeUrl, string version, Status error)
        {
        }

        public Task OnHealthAsync(bool healthy, string? message, CancellationToken cancellationToken) => Task.CompletedTask;

        public void Dispose()
        {
        }
    }
}
