using Google.Protobuf;
using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Config.MeshWide;
using Mesh.K8s.V1;

namespace Mesh.ControlPlane.Tests;

/// <summary>Documents as parsing yields them, from the JSON of their spec.</summary>
internal static class TestDocuments
{
    public static ConfigSnapshot Snapshot(params ConfigResource[] resources) => new(1, resources);

    public static ConfigResource Service(string name, string ports, string selector = "", string @namespace = "default")
        => Of(ConfigKinds.Service, name, @namespace, ServiceSpec.Parser.ParseJson($$"""{"ports":[{{ports}}]{{(selector.Length > 0 ? $",\"selector\":{{{selector}}}" : "")}}}"""));

    public static ConfigResource VirtualService(string name, string json, string @namespace = "default", int age = 0)
        => Of(ConfigKinds.VirtualService, name, @namespace, Istio.Networking.V1Alpha3.VirtualService.Parser.ParseJson(json), age);

    public static ConfigResource DestinationRule(string name, string json, string @namespace = "default", int age = 0)
        => Of(ConfigKinds.DestinationRule, name, @namespace, Istio.Networking.V1Alpha3.DestinationRule.Parser.ParseJson(json), age);

    public static ConfigResource ServiceEntry(string name, string json, string @namespace = "default", int age = 0)
        => Of(ConfigKinds.ServiceEntry, name, @namespace, Istio.Networking.V1Alpha3.ServiceEntry.Parser.ParseJson(json), age);

    public static ConfigResource WorkloadEntry(string name, string json, string @namespace = "default")
        => Of(ConfigKinds.WorkloadEntry, name, @namespace, Istio.Networking.V1Alpha3.WorkloadEntry.Parser.ParseJson(json));

    public static ConfigResource Sidecar(string name, string json, string @namespace = "default", int age = 0)
        => Of(ConfigKinds.Sidecar, name, @namespace, Istio.Networking.V1Alpha3.Sidecar.Parser.ParseJson(json), age);

    public static ConfigResource PeerAuthentication(string name, string json, string @namespace = "default", int age = 0)
        => Of(ConfigKinds.PeerAuthentication, name, @namespace, Istio.Security.V1Beta1.PeerAuthentication.Parser.ParseJson(json), age);

    public static ConfigResource RequestAuthentication(string name, string json, string @namespace = "default", int age = 0)
        => Of(ConfigKinds.RequestAuthentication, name, @namespace, Istio.Security.V1Beta1.RequestAuthentication.Parser.ParseJson(json), age);

    public static ConfigResource AuthorizationPolicy(string name, string json, string @namespace = "default", int age = 0)
        => Of(ConfigKinds.AuthorizationPolicy, name, @namespace, Istio.Security.V1Beta1.AuthorizationPolicy.Parser.ParseJson(json), age);

    public static ConfigResource Telemetry(string name, string json, string @namespace = "default", int age = 0)
        => Of(ConfigKinds.Telemetry, name, @namespace, Istio.Telemetry.V1Alpha1.Telemetry.Parser.ParseJson(json), age);

    public static ConfigResource ProxyConfig(string name, string json, string @namespace = "default", int age = 0)
        => Of(ConfigKinds.ProxyConfig, name, @namespace, Istio.Networking.V1Beta1.ProxyConfig.Parser.ParseJson(json), age);

    public static ConfigResource Secret(string name, Secret secret, string @namespace = "default") => Of(ConfigKinds.Secret, name, @namespace, secret);

    public static ConfigResource MeshConfig(string json, string name = "mesh", int age = 0)
        => Of(MeshKinds.MeshConfig, name, "istio-system", Istio.Mesh.V1Alpha1.MeshConfig.Parser.ParseJson(json), age);

    /// <param name="kind">The kind.</param>
    /// <param name="name">The name.</param>
    /// <param name="namespace">The namespace.</param>
    /// <param name="spec">The spec.</param>
    /// <param name="age">Days since it was created: the higher, the older.</param>
    private static ConfigResource Of(ConfigKind kind, string name, string @namespace, IMessage spec, int age = 0)
        => new(
            kind,
            name,
            @namespace,
            new Dictionary<string, string>(),
            new Dictionary<string, string>(),
            new DateTimeOffset(2026, 1, 31, 0, 0, 0, TimeSpan.Zero).AddDays(-age),
            spec,
            new ConfigSource($"{name}.yaml", 1));
}
