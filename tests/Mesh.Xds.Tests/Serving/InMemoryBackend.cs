using Envoy.Config.Core.V3;
using Google.Rpc;
using Mesh.Xds.Ads;
using Mesh.Xds.Serving;

namespace Mesh.Xds.Tests.Serving;

/// <summary>A control plane that is a dictionary.</summary>
internal sealed class InMemoryBackend : IAdsBackend
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(string TypeUrl, string Name), AdsResource> _resources = [];

    public List<(string TypeUrl, string Version, string? Error)> Answers { get; } = [];

    public List<(bool Healthy, string? Message)> Health { get; } = [];

    public Func<bool, CancellationToken, Task> OnHealth { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>Names that are had by asking for them only.</summary>
    public HashSet<string> OnDemand { get; } = [];

    public int OpenViews { get; private set; }

    /// <summary>In the order of their connections.</summary>
    public List<IAdsNodeView> Views { get; } = [];

    public void Set(string typeUrl, AdsResource resource)
    {
        lock (_gate)
        {
            _resources[(typeUrl, resource.Name)] = resource;
        }
    }

    public void Remove(string typeUrl, string name)
    {
        lock (_gate)
        {
            _resources.Remove((typeUrl, name));
        }
    }

    public string VersionOf(string typeUrl, string name)
    {
        lock (_gate)
        {
            return _resources[(typeUrl, name)].Version;
        }
    }

    public IAdsNodeView Connect(AdsConnectionInfo connection, Node node)
    {
        lock (_gate)
        {
            OpenViews++;
            var view = new View(this);
            Views.Add(view);
            return view;
        }
    }

    private sealed class View(InMemoryBackend backend) : IAdsNodeView
    {
        public IReadOnlyCollection<AdsResource> GetResources(string typeUrl, bool wildcard, IReadOnlyCollection<string> names)
        {
            lock (backend._gate)
            {
                return backend._resources
                    .Where(entry => entry.Key.TypeUrl == typeUrl
                        && (wildcard ? !backend.OnDemand.Contains(entry.Key.Name) : names.Contains(entry.Key.Name)))
                    .Select(entry => entry.Value)
                    .OrderBy(resource => resource.Name, StringComparer.Ordinal)
                    .ToList();
            }
        }

        public bool Serves(string typeUrl) => typeUrl is TypeUrls.Listener or TypeUrls.RouteConfiguration or TypeUrls.Cluster
            or TypeUrls.ClusterLoadAssignment or TypeUrls.Secret;

        public void OnAck(string typeUrl, string version) => Record((typeUrl, version, null));

        public void OnNack(string typeUrl, string version, Status error) => Record((typeUrl, version, error.Message));

        public Task OnHealthAsync(bool healthy, string? message, CancellationToken cancellationToken)
        {
            lock (backend._gate)
            {
                backend.Health.Add((healthy, message));
            }

            return backend.OnHealth(healthy, cancellationToken);
        }

        public void Dispose()
        {
            lock (backend._gate)
            {
                backend.OpenViews--;
            }
        }

        private void Record((string, string, string?) answer)
        {
            lock (backend._gate)
            {
                backend.Answers.Add(answer);
            }
        }
    }
}
