using Istio.Networking.V1Alpha3;

namespace Mesh.ControlPlane.Config.Validation;

internal static class WorkloadEntryValidator
{
    public static void Validate(WorkloadEntry spec, ValidationContext context) => EndpointRules.Validate(spec, "", context);
}
