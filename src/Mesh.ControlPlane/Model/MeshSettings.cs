using Istio.Mesh.V1Alpha1;
using Mesh.ControlPlane.Config;

namespace Mesh.ControlPlane.Model;

/// <summary>What holds for the whole mesh: the MeshConfig in force with Istio's defaults; immutable, and another object when anything in it has changed.</summary>
internal sealed class MeshSettings
{
    private MeshSettings(MeshConfig config, ConfigResource? source)
    {
        Config = config;
        Source = source;
        OutboundTraffic = config.OutboundTrafficPolicy is { Mode: MeshConfig.Types.OutboundTrafficPolicy.Types.Mode.RegistryOnly }
            ? OutboundTraffic.RegistryOnly
            : OutboundTraffic.AllowAny;
    }

    /// <summary>A mesh without a MeshConfig.</summary>
    public static MeshSettings Default { get; } = new(new MeshConfig(), null);

    /// <summary>As it is written.</summary>
    public MeshConfig Config { get; }

    /// <summary>Where it is written; <see langword="null"/> when nowhere.</summary>
    public ConfigResource? Source { get; }

    /// <summary>What happens to hosts that no service names, where no Sidecar says otherwise.</summary>
    public OutboundTraffic OutboundTraffic { get; }

    /// <summary>The settings that a document comes to.</summary>
    public static MeshSettings Of(ConfigResource source) => new((MeshConfig)source.Spec, source);
}
