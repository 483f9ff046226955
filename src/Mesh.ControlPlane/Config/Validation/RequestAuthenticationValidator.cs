using Istio.Security.V1Beta1;

namespace Mesh.ControlPlane.Config.Validation;

internal static class RequestAuthenticationValidator
{
    public static void Validate(RequestAuthentication spec, ValidationContext context)
    {
        PolicySelectorValidator.Validate(spec.Selector, spec.TargetRef, spec.TargetRefs, context);
        for (var i = 0; i < spec.JwtRules.Count; i++)
        {
            JwtRuleValidator.Validate(spec.JwtRules[i], $"jwtRules[{i}]", context);
        }
    }
}
