using Mesh.ControlPlane.Config.Reading;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Generators;

/// <summary>What generators may know of a client: everything that its resources can depend on.</summary>
/// <param name="kind">What it can read.</param>
/// <param name="namespace">Its namespace.</param>
/// <param name="labels">Its labels.</param>
/// <param name="locality">Where it runs; nowhere in particular when left out.</param>
/// <param name="clusterId">The cluster that it runs in.</param>
/// <param name="isIpv6Only">Whether it is known to have IPv6 addresses and no other.</param>
/// <param name="isSidecar">Whether it says that it stands beside an application (Istio's node type <c>sidecar</c>).</param>
/// <param name="bindsToPort">Whether applications connect to it of their own accord (Istio's interception mode <c>NONE</c>), not redirected.</param>
/// <param name="isInProcess">Whether it is this mesh's library in the application itself, which sees requests before they are encrypted.</param>
/// <param name="mayReadKeys">Whether it is on this machine, so that it may have private keys although nothing proves who it is.</param>
/// <param name="workload">What it announces of itself, where it announces anything.</param>
/// <param name="workloadName">The name of what it is an instance of.</param>
/// <param name="serviceCluster">The name of its service in its own words (the node's <c>cluster</c>): spans are of it.</param>
/// <param name="meshId">The mesh that it says it is part of.</param>
/// <param name="annotation">Its annotation <c>proxy.istio.io/config</c>, where it has one.</param>
internal sealed class Proxy(
    ProxyKind kind,
    string @namespace,
    IReadOnlyDictionary<string, string> labels,
    MeshLocality? locality = null,
    string clusterId = "",
    bool isIpv6Only = false,
    bool isSidecar = false,
    bool bindsToPort = false,
    bool isInProcess = true,
    bool mayReadKeys = false,
    WorkloadInstance? workload = null,
    string workloadName = "",
    string serviceCluster = "",
    string meshId = "",
    ProxyConfigAnnotation? annotation = null)
{
    public ProxyKind Kind { get; } = kind;

    public string Namespace { get; } = @namespace;

    public IReadOnlyDictionary<string, string> Labels { get; } = labels;

    public MeshLocality Locality { get; } = locality ?? MeshLocality.None;

    public string ClusterId { get; } = clusterId;

    public bool IsIpv6Only { get; } = isIpv6Only;

    public bool IsSidecar { get; } = isSidecar;

    public bool BindsToPort { get; } = bindsToPort;

    public bool IsInProcess { get; } = isInProcess && kind == ProxyKind.Mesh;

    public bool MayReadKeys { get; } = mayReadKeys;

    /// <summary>The workload that it serves as; <see langword="null"/> when it has not said where it listens.</summary>
    public WorkloadInstance? Workload { get; } = workload;

    public string WorkloadName { get; } = workloadName;

    public string ServiceCluster { get; } = serviceCluster;

    public string MeshId { get; } = meshId;

    public ProxyConfigAnnotation? Annotation { get; } = annotation;

    public string CanonicalName => CanonicalService.NameOf(Labels, WorkloadName);

    public string CanonicalRevision => CanonicalService.RevisionOf(Labels);

    /// <summary>Equal for those of whose requests the same is told.</summary>
    public string SignalsKey => field ??= string.Join('\0', Kind, IsInProcess, Namespace, WorkloadName, ServiceCluster, MeshId, ClusterId, LabelsKey, Annotation?.Hash);

    /// <summary>Equal for those who listen at the same ports for the same.</summary>
    public string AddressesKey { get; } = workload is null
        ? ""
        : string.Join('\0', workload.Addresses.OrderBy(address => address.Key, StringComparer.Ordinal).Select(address => $"{address.Key}\0{address.Value.Port}"));

    /// <summary>The value of one of its labels or of its place's (see <see cref="TopologyLabels"/>).</summary>
    public string? LabelOf(string key) => TopologyLabels.Find(Labels, Locality, ClusterId, key);

    /// <summary>Equal for equal labels: clients that differ in nothing share their resources.</summary>
    public string LabelsKey { get; } = string.Join(
        '\0',
        labels.OrderBy(label => label.Key, StringComparer.Ordinal).Select(label => $"{label.Key}\0{label.Value}"));
}
