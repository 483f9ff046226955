using Envoy.Extensions.Filters.Common.Fault.V3;
using Envoy.Extensions.Filters.Http.Fault.V3;
using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Model;
using Abort = Istio.Networking.V1Alpha3.HTTPFaultInjection.Types.Abort;
using Delay = Istio.Networking.V1Alpha3.HTTPFaultInjection.Types.Delay;

namespace Mesh.ControlPlane.Generators;

/// <summary><c>http.fault</c>: the configuration of Envoy's fault filter for one route. gRPC libraries read the same (gRFC A33).</summary>
internal static class FaultTranslator
{
    /// <returns>The configuration, or <see langword="null"/> when there is nothing that could be injected.</returns>
    public static HTTPFault? Translate(HTTPFaultInjection? fault)
    {
        var delay = TranslateDelay(fault?.Delay);
        var abort = TranslateAbort(fault?.Abort);
        return delay is null && abort is null ? null : new HTTPFault { Delay = delay, Abort = abort };
    }

    private static FaultDelay? TranslateDelay(Delay? delay)
    {
        if (delay?.HttpDelayTypeCase != Delay.HttpDelayTypeOneofCase.FixedDelay)
        {
            return null;
        }

#pragma warning disable CS0612 // Istio still accepts it where percentage is absent.
        var share = delay.Percentage is { } percentage ? FractionalPercents.Of(percentage) : FractionalPercents.Of((uint)delay.Percent);
#pragma warning restore CS0612
        return new FaultDelay { FixedDelay = delay.FixedDelay, Percentage = share };
    }

    private static FaultAbort? TranslateAbort(Abort? abort)
    {
        var result = new FaultAbort { Percentage = abort?.Percentage is { } percentage ? FractionalPercents.Of(percentage) : null };
        switch (abort?.ErrorTypeCase)
        {
            case Abort.ErrorTypeOneofCase.HttpStatus:
                result.HttpStatus = (uint)abort.HttpStatus;
                return result;
            case Abort.ErrorTypeOneofCase.GrpcStatus when GrpcStatus.TryParse(abort.GrpcStatus, out var status):
                result.GrpcStatus = status;
                return result;
            default:
                return null;
        }
    }
}
