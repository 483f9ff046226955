using Envoy.Extensions.Filters.Http.Fault.V3;
using Google.Protobuf;
using Mesh.DataPlane.Matching;
using CommonDelay = Envoy.Extensions.Filters.Common.Fault.V3.FaultDelay;
using CommonRateLimit = Envoy.Extensions.Filters.Common.Fault.V3.FaultRateLimit;
using MessageAbort = Envoy.Extensions.Filters.Http.Fault.V3.FaultAbort;

namespace Mesh.DataPlane.Filters.Fault;

/// <summary>Compiles <c>HTTPFault</c>.</summary>
internal static class FaultCompiler
{
    // Beyond it a timer cannot be set.
    private static readonly TimeSpan MaxDelay = TimeSpan.FromDays(24);

    public static FaultSettings Compile(HTTPFault message, string path, ICollection<string> notes)
    {
        foreach (var field in HTTPFault.Descriptor.Fields.InDeclarationOrder())
        {
            if (field.Name.EndsWith("_runtime", StringComparison.Ordinal) && field.Accessor.GetValue(message) is string { Length: > 0 })
            {
                notes.Add($"{path}.{field.Name} is not looked up: there is no runtime, the configured value counts");
            }
        }

        return new FaultSettings
        {
            Delay = message.Delay is { } delay
                ? new FaultDelay(
                    delay.FaultDelaySecifierCase == CommonDelay.FaultDelaySecifierOneofCase.FixedDelay ? Limit(delay.FixedDelay.ToTimeSpan()) : null,
                    FilterFraction.Compile(delay.Percentage, path + ".delay.percentage"))
                : null,
            Abort = message.Abort is { } abort
                ? new FaultAbort(
                    abort.ErrorTypeCase == MessageAbort.ErrorTypeOneofCase.HttpStatus ? (int)abort.HttpStatus : null,
                    abort.ErrorTypeCase == MessageAbort.ErrorTypeOneofCase.GrpcStatus ? (int)abort.GrpcStatus : null,
                    FilterFraction.Compile(abort.Percentage, path + ".abort.percentage"))
                : null,
            ResponseRateLimit = message.ResponseRateLimit is { } limit
                ? new FaultRateLimit(
                    limit.LimitTypeCase == CommonRateLimit.LimitTypeOneofCase.FixedLimit ? limit.FixedLimit.LimitKbps : null,
                    FilterFraction.Compile(limit.Percentage, path + ".response_rate_limit.percentage"))
                : null,
            UpstreamCluster = message.UpstreamCluster,
            Headers = [.. message.Headers.Select((h, i) => MatcherCompiler.Header(h, $"{path}.headers[{i}]"))],
            DownstreamNodes = [.. message.DownstreamNodes],
            MaxActiveFaults = message.MaxActiveFaults,
            Metadata = message.FilterMetadata is { Fields.Count: > 0 } metadata ? FilterMessage.Format(metadata, path + ".filter_metadata") : "",
        };
    }

    public static TimeSpan Limit(TimeSpan delay) => delay < MaxDelay ? delay : MaxDelay;
}
