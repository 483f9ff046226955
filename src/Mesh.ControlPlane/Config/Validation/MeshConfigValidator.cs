using Istio.Mesh.V1Alpha1;

namespace Mesh.ControlPlane.Config.Validation;

/// <summary>What Istio demands of a MeshConfig, and what would be read otherwise than its author meant.</summary>
internal static class MeshConfigValidator
{
    public static void Validate(MeshConfig config, ValidationContext context)
    {
        if (config.OutboundTrafficPolicy is not null && context.IsWritten("outboundTrafficPolicy.mode") == false)
        {
            // Its zero is REGISTRY_ONLY, the default of a mesh is ALLOW_ANY.
            context.Error("outboundTrafficPolicy", "mode is missing: write ALLOW_ANY or REGISTRY_ONLY.");
        }
    }
}
