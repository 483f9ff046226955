using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Config.Validation;

internal static class HttpFaultValidator
{
    public static void Validate(HTTPFaultInjection? fault, string path, ValidationContext context)
    {
        if (fault is null)
        {
            return;
        }

        if (fault.Abort is null && fault.Delay is null)
        {
            context.Error(path, "must have delay, abort or both.");
        }

        if (fault.Delay is { } delay)
        {
            FieldRules.Percentage(delay.Percentage, $"{path}.delay.percentage", context);
#pragma warning disable CS0612 // Istio still accepts it.
            if (delay.Percent is < 0 or > 100)
            {
                context.Error($"{path}.delay.percent", $"must be from 0 to 100, not {delay.Percent}.");
            }
            else if (delay.Percentage is null && delay.Percent == 0)
            {
                context.Warn($"{path}.delay", "has no percentage, so no request is delayed.");
            }
#pragma warning restore CS0612

            FieldRules.AtLeastAMillisecond(delay.FixedDelay, $"{path}.delay.fixedDelay", context);
            switch (delay.HttpDelayTypeCase)
            {
                case HTTPFaultInjection.Types.Delay.HttpDelayTypeOneofCase.ExponentialDelay:
                    context.Error($"{path}.delay.exponentialDelay", "is not supported, by Istio neither: use fixedDelay.");
                    break;
                case HTTPFaultInjection.Types.Delay.HttpDelayTypeOneofCase.None:
                    context.Error($"{path}.delay", "must have fixedDelay.");
                    break;
            }
        }

        if (fault.Abort is { } abort)
        {
            FieldRules.Percentage(abort.Percentage, $"{path}.abort.percentage", context);
            if (abort.Percentage is null)
            {
                context.Warn($"{path}.abort", "has no percentage, so no request is aborted.");
            }

            switch (abort.ErrorTypeCase)
            {
                case HTTPFaultInjection.Types.Abort.ErrorTypeOneofCase.None:
                    context.Error($"{path}.abort", "must have httpStatus or grpcStatus.");
                    break;
                case HTTPFaultInjection.Types.Abort.ErrorTypeOneofCase.Http2Error:
                    context.Error($"{path}.abort.http2Error", "is not supported, by Istio neither: use httpStatus or grpcStatus.");
                    break;
                case HTTPFaultInjection.Types.Abort.ErrorTypeOneofCase.GrpcStatus when !GrpcStatus.TryParse(abort.GrpcStatus, out _):
                    context.Error($"{path}.abort.grpcStatus", $"\"{abort.GrpcStatus}\" is none of {string.Join(", ", GrpcStatus.Names)}.");
                    break;
                case HTTPFaultInjection.Types.Abort.ErrorTypeOneofCase.HttpStatus when abort.HttpStatus is < 200 or > 599:
                    context.Error($"{path}.abort.httpStatus", $"must be from 200 to 599, not {abort.HttpStatus}.");
                    break;
            }
        }
    }
}
