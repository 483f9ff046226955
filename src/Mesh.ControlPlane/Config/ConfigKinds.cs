using System.Collections.Frozen;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Mesh.ControlPlane.Config.MeshWide;
using Mesh.ControlPlane.Config.Reading;
using Mesh.ControlPlane.Config.Validation;

namespace Mesh.ControlPlane.Config;

/// <summary>The kinds that this version reads; a new kind is one line here.</summary>
internal static class ConfigKinds
{
    private const string IstioNetworking = "networking.istio.io";
    private const string IstioSecurity = "security.istio.io";
    private const string IstioTelemetry = "telemetry.istio.io";

    private static readonly string[] IstioVersions = ["v1", "v1beta1", "v1alpha3"];
    private static readonly string[] ProxyConfigVersions = ["v1beta1"];
    private static readonly string[] SecurityVersions = ["v1", "v1beta1"];
    private static readonly string[] TelemetryVersions = ["v1", "v1alpha1"];

    public static ConfigKind Service { get; } = Core<K8s.V1.ServiceSpec>("Service", K8s.V1.ServiceSpec.Descriptor, ServiceValidator.Validate, HonouredFields.Service);

    public static ConfigKind ServiceEntry { get; } = Istio<Istio.Networking.V1Alpha3.ServiceEntry>(ServiceEntryValidator.Validate, HonouredFields.ServiceEntry);

    public static ConfigKind WorkloadEntry { get; } = Istio<Istio.Networking.V1Alpha3.WorkloadEntry>(WorkloadEntryValidator.Validate, HonouredFields.WorkloadEntry);

    public static ConfigKind DestinationRule { get; } = Istio<Istio.Networking.V1Alpha3.DestinationRule>(DestinationRuleValidator.Validate, HonouredFields.DestinationRule);

    public static ConfigKind VirtualService { get; } = Istio<Istio.Networking.V1Alpha3.VirtualService>(VirtualServiceValidator.Validate, HonouredFields.VirtualService);

    public static ConfigKind Sidecar { get; } = Istio<Istio.Networking.V1Alpha3.Sidecar>(SidecarValidator.Validate, HonouredFields.Sidecar);

    public static ConfigKind PeerAuthentication { get; } = Security<Istio.Security.V1Beta1.PeerAuthentication>(PeerAuthenticationValidator.Validate, HonouredFields.PeerAuthentication);

    public static ConfigKind RequestAuthentication { get; } = Security<Istio.Security.V1Beta1.RequestAuthentication>(RequestAuthenticationValidator.Validate, HonouredFields.RequestAuthentication);

    public static ConfigKind AuthorizationPolicy { get; } = Security<Istio.Security.V1Beta1.AuthorizationPolicy>(AuthorizationPolicyValidator.Validate, HonouredFields.AuthorizationPolicy);

    public static ConfigKind Telemetry { get; } = OfGroup<Istio.Telemetry.V1Alpha1.Telemetry>(IstioTelemetry, TelemetryVersions, TelemetryValidator.Validate, HonouredFields.Telemetry);

    public static ConfigKind ProxyConfig { get; } = OfGroup<Istio.Networking.V1Beta1.ProxyConfig>(IstioNetworking, ProxyConfigVersions, ProxyConfigValidator.Validate, HonouredFields.ProxyConfigDocument);

    public static ConfigKind Secret { get; } = new("", "Secret", ["v1"], K8s.V1.Secret.Descriptor)
    {
        ReadBesideMetadata = SecretReader.Read,
        Honoured = HonouredFields.Secret,
    };

    public static IReadOnlyList<ConfigKind> All { get; } =
    [
        Service, ServiceEntry, WorkloadEntry, DestinationRule, VirtualService, Sidecar, PeerAuthentication, RequestAuthentication, AuthorizationPolicy, Telemetry, ProxyConfig, Secret,
        MeshKinds.MeshConfig, MeshKinds.MeshNetworks,
    ];

    /// <summary>Groups whose kinds stand in the same files and mean nothing to a mesh.</summary>
    public static FrozenSet<string> UnusedGroups { get; } = FrozenSet.Create(
        StringComparer.Ordinal,
        "apps",
        "batch",
        "autoscaling",
        "policy",
        "extensions",
        "rbac.authorization.k8s.io",
        "networking.k8s.io",
        "storage.k8s.io",
        "scheduling.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
        "admissionregistration.k8s.io",
        "certificates.k8s.io",
        "kustomize.config.k8s.io",
        "monitoring.coreos.com");

    /// <summary>Kinds of the core group of which the same is true.</summary>
    public static FrozenSet<string> UnusedCoreKinds { get; } = FrozenSet.Create(
        StringComparer.Ordinal,
        "Namespace",
        "Pod",
        "PodTemplate",
        "ConfigMap",
        "ServiceAccount",
        "Endpoints",
        "Event",
        "LimitRange",
        "Node",
        "PersistentVolume",
        "PersistentVolumeClaim",
        "ReplicationController",
        "ResourceQuota");

    private static ConfigKind Core<T>(string kind, MessageDescriptor spec, Action<T, ValidationContext> validate, HonouredFieldSet honoured)
        where T : IMessage
        => new("", kind, ["v1"], spec) { Validate = (message, context) => validate((T)message, context), Honoured = honoured };

    private static ConfigKind Istio<T>(Action<T, ValidationContext> validate, HonouredFieldSet honoured)
        where T : IMessage, new()
        => OfGroup(IstioNetworking, IstioVersions, validate, honoured);

    private static ConfigKind Security<T>(Action<T, ValidationContext> validate, HonouredFieldSet honoured)
        where T : IMessage, new()
        => OfGroup(IstioSecurity, SecurityVersions, validate, honoured);

    private static ConfigKind OfGroup<T>(string group, string[] versions, Action<T, ValidationContext> validate, HonouredFieldSet honoured)
        where T : IMessage, new()
    {
        var spec = new T().Descriptor;
        return new(group, spec.Name, versions, spec) { Validate = (message, context) => validate((T)message, context), Honoured = honoured };
    }
}
