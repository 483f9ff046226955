using Google.Protobuf.Reflection;
using Istio.Mesh.V1Alpha1;
using Mesh.ControlPlane.Config.Validation;

namespace Mesh.ControlPlane.Config.MeshWide;

/// <summary>The kinds in which a mesh's own settings are written; see <see cref="MeshDocumentReader"/> for how they are told from others.</summary>
internal static class MeshKinds
{
    /// <summary>Written for this control plane: an envelope with the settings as its spec, or the settings alone in a file called <c>mesh.yaml</c>.</summary>
    public static ConfigKind MeshConfig { get; } = Settings("mesh.istio.io", "MeshConfig", "v1alpha1");

    /// <summary>What <c>istioctl install</c> takes; only <c>spec.meshConfig</c> of it is read.</summary>
    public static ConfigKind IstioOperator { get; } = Settings("install.istio.io", "IstioOperator", "v1alpha1");

    /// <summary>What an installed Istio keeps: the ConfigMap <c>istio</c>, with the settings as a text in <c>data.mesh</c>.</summary>
    public static ConfigKind ConfigMap { get; } = Settings("", "ConfigMap", "v1");

    /// <summary>The networks of a mesh: an envelope, or the text <c>data.meshNetworks</c> of the ConfigMap.</summary>
    public static ConfigKind MeshNetworks { get; } = new("mesh.istio.io", "MeshNetworks", ["v1alpha1"], global::Istio.Mesh.V1Alpha1.MeshNetworks.Descriptor)
    {
        Honoured = HonouredFields.MeshNetworks,
    };

    private static ConfigKind Settings(string group, string kind, string version)
        => new(group, kind, [version], (MessageDescriptor)global::Istio.Mesh.V1Alpha1.MeshConfig.Descriptor)
        {
            Validate = (message, context) => MeshConfigValidator.Validate((MeshConfig)message, context),
            Honoured = HonouredFields.MeshConfig,
        };
}
