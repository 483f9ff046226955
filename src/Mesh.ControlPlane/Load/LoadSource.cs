using Envoy.Config.Core.V3;
using Mesh.ControlPlane.Registry;

namespace Mesh.ControlPlane.Load;

/// <summary>Who calls: a workload, whichever of its instances.</summary>
/// <param name="Namespace">Its namespace.</param>
/// <param name="Workload">Its name.</param>
/// <param name="App">What it is an instance of, by its labels.</param>
/// <param name="Version">Which version of that; <c>latest</c> when nobody says.</param>
/// <param name="Cluster">The cluster that it runs in; empty when it does not say.</param>
internal sealed record LoadSource(string Namespace, string Workload, string App, string Version, string Cluster)
{
    private const int MaxLength = 256;

    public static LoadSource Of(Node node, NodeMetadata metadata)
    {
        // The one place that knows how a node names its workload.
        var instance = metadata.ToInstance(null, []);
        return new LoadSource(Short(instance.Namespace), Short(instance.Name), Short(instance.CanonicalName), Short(instance.CanonicalRevision), Short(instance.ClusterId));

        string Short(string text) => text.Length <= MaxLength ? text : text[..MaxLength];
    }
}
