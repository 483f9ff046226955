using Istio.Networking.V1Alpha3;

namespace Mesh.ControlPlane.Config.Validation;

internal static class OutlierDetectionValidator
{
    public static void Validate(OutlierDetection? outlier, string path, ValidationContext context)
    {
        if (outlier is null)
        {
            return;
        }

        FieldRules.AtLeastAMillisecond(outlier.Interval, $"{path}.interval", context);
        FieldRules.AtLeastAMillisecond(outlier.BaseEjectionTime, $"{path}.baseEjectionTime", context);
        Percentage(outlier.MaxEjectionPercent, $"{path}.maxEjectionPercent", context);
        Percentage(outlier.MinHealthPercent, $"{path}.minHealthPercent", context);
        if (outlier is { SplitExternalLocalOriginErrors: false, ConsecutiveLocalOriginFailures: > 0 })
        {
            context.Error($"{path}.consecutiveLocalOriginFailures", "needs splitExternalLocalOriginErrors: true, without which local errors count as 5xx.");
        }

#pragma warning disable CS0612 // Older documents.
        if (outlier.ConsecutiveErrors < 0)
        {
            context.Error($"{path}.consecutiveErrors", $"must not be negative, but is {outlier.ConsecutiveErrors}.");
        }
        else if (outlier.ConsecutiveErrors > 0 && (outlier.ConsecutiveGatewayErrors is not null || outlier.Consecutive5XxErrors is not null))
        {
            context.Error($"{path}.consecutiveErrors", "cannot be given beside consecutiveGatewayErrors or consecutive5xxErrors, which took its place: remove it.");
        }
#pragma warning restore CS0612

        var codes = new HashSet<uint>();
        for (var i = 0; i < outlier.OutlierDetectionHttpErrorCodes.Count; i++)
        {
            var code = outlier.OutlierDetectionHttpErrorCodes[i];
            if (code is < 100 or > 599)
            {
                context.Error($"{path}.outlierDetectionHttpErrorCodes[{i}]", $"must be a status code from 100 to 599, not {code}.");
            }
            else if (!codes.Add(code))
            {
                context.Error($"{path}.outlierDetectionHttpErrorCodes[{i}]", $"{code} is given twice: keep one.");
            }
        }
    }

    private static void Percentage(int value, string path, ValidationContext context)
    {
        if (value is < 0 or > 100)
        {
            context.Error(path, $"must be from 0 to 100, not {value}.");
        }
    }
}
