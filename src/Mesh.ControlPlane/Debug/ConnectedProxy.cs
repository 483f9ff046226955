using Mesh.ControlPlane.Registry;
using Mesh.Xds.Bootstrap;
using Mesh.Xds.Serving;

namespace Mesh.ControlPlane.Debug;

/// <summary>One client that has a stream open.</summary>
internal sealed class ConnectedProxy
{
    // type ~ address ~ name ~ domain
    private const int IdParts = 4;

    public ConnectedProxy(AdsConnectionStatus status)
    {
        Status = status;
        Metadata = new NodeMetadata(status.Node!);
        var parts = status.Node!.Id.Split('~', IdParts + 1);
        (Type, Address, Name) = parts.Length == IdParts ? (parts[0], parts[1], parts[2]) : ("", "", status.Node.Id);
        Workload = $"{TextOf("WORKLOAD_NAME") ?? status.Node.Cluster.Split('.')[0]}.{Metadata.Namespace}";
    }

    public AdsConnectionStatus Status { get; }

    public NodeMetadata Metadata { get; }

    /// <summary>As Istio names it: pod and namespace.</summary>
    public string Name { get; }

    /// <summary>Its workload and namespace, which other instances may share.</summary>
    public string Workload { get; }

    /// <summary><c>sidecar</c>, <c>router</c>; empty when its id is none of Istio's.</summary>
    public string Type { get; }

    /// <summary>The address that its id says.</summary>
    public string Address { get; }

    /// <summary>Where it says that its own admin endpoints are, for those who can reach them.</summary>
    public string? Admin => TextOf("MESH_ADMIN");

    /// <summary>What it says that it is: Istio's version, else that of its library.</summary>
    public string Version => TextOf("ISTIO_VERSION")
        ?? (Status.Node!.UserAgentName == XdsNode.UserAgentName ? Status.Node.UserAgentVersion : $"{Status.Node.UserAgentName} {Status.Node.UserAgentVersion}".Trim());

    /// <summary>Whether somebody may mean it who writes less: no namespace, or the version of its workload behind its name.</summary>
    public bool MayMean(string name)
        => Name == $"{name}.{Metadata.Namespace}"
            || Workload == $"{name}.{Metadata.Namespace}"
            || (Metadata.Labels.TryGetValue("version", out var version) && VersionedOf(Workload, version) is var versioned
                && (versioned == name || versioned == $"{name}.{Metadata.Namespace}"));

    // reviews.default of version v2 is reviews-v2.default, as its Deployment is called.
    private string VersionedOf(string workload, string version) => $"{workload[..^(Metadata.Namespace.Length + 1)]}-{version}.{Metadata.Namespace}";

    private string? TextOf(string key)
        => Status.Node!.Metadata?.Fields.TryGetValue(key, out var value) == true && value.StringValue.Length > 0 ? value.StringValue : null;
}
