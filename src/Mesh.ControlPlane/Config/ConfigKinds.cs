using Istio.Networking.V1Alpha3;
using Mesh.K8s.V1;

namespace Mesh.ControlPlane.Config;

/// <summary>The kinds that this version reads; a new kind is one line here.</summary>
internal static class ConfigKinds
{
    private const string IstioNetworking = "networking.istio.io";

    private static readonly string[] IstioVersions = ["v1", "v1beta1", "v1alpha3"];

    public static ConfigKind Service { get; } = new("", "Service", ["v1"], ServiceSpec.Descriptor);

    public static ConfigKind ServiceEntry { get; } = new(IstioNetworking, "ServiceEntry", IstioVersions, Istio.Networking.V1Alpha3.ServiceEntry.Descriptor);

    public static ConfigKind WorkloadEntry { get; } = new(IstioNetworking, "WorkloadEntry", IstioVersions, Istio.Networking.V1Alpha3.WorkloadEntry.Descriptor);

    public static ConfigKind DestinationRule { get; } = new(IstioNetworking, "DestinationRule", IstioVersions, Istio.Networking.V1Alpha3.DestinationRule.Descriptor);

    public static ConfigKind VirtualService { get; } = new(IstioNetworking, "VirtualService", IstioVersions, Istio.Networking.V1Alpha3.VirtualService.Descriptor);

    public static IReadOnlyList<ConfigKind> All { get; } = [Service, ServiceEntry, WorkloadEntry, DestinationRule, VirtualService];
}
