using Envoy.Config.Core.V3;
using Envoy.Type.V3;
using Denominator = Envoy.Type.V3.FractionalPercent.Types.DenominatorType;
using Percent = Istio.Networking.V1Alpha3.Percent;

namespace Mesh.ControlPlane.Generators;

/// <summary>Istio's two kinds of percentage: <c>percentage.value</c> to the fourth decimal, and the older whole <c>percent</c>.</summary>
internal static class FractionalPercents
{
    public static FractionalPercent Of(Percent percent)
        => new() { Numerator = (uint)(percent.Value * 10_000), Denominator = Denominator.Million };

    public static FractionalPercent Of(uint percent) => new() { Numerator = percent, Denominator = Denominator.Hundred };

    public static RuntimeFractionalPercent Default(FractionalPercent value) => new() { DefaultValue = value };
}
