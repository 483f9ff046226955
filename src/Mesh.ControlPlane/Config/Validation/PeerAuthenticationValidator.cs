using Istio.Security.V1Beta1;

namespace Mesh.ControlPlane.Config.Validation;

internal static class PeerAuthenticationValidator
{
    public static void Validate(PeerAuthentication spec, ValidationContext context)
    {
        PolicySelectorValidator.Validate(spec.Selector, context);
        if (spec.Selector is not { MatchLabels.Count: > 0 } && spec.PortLevelMtls.Count > 0)
        {
            context.Error("portLevelMtls", "mesh/namespace peer authentication cannot have port level mTLS: select the workloads whose ports are meant.");
        }

        if (spec.PortLevelMtls.Count == 0 && context.IsWritten("portLevelMtls") == true)
        {
            context.Error("portLevelMtls", "port level mTLS, if defined, must have at least one element.");
        }

        foreach (var (port, _) in spec.PortLevelMtls)
        {
            if (port is 0 or > 65535)
            {
                context.Error($"portLevelMtls.{port}", "port must be in range 1 to 65535.");
            }
        }
    }
}
