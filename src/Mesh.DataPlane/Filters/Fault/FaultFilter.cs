using System.Globalization;
using System.Text.Json.Nodes;
using Mesh.DataPlane.Matching;
using Mesh.Filters;

namespace Mesh.DataPlane.Filters.Fault;

/// <summary>
/// Delays requests, answers them in place of the upstream, and slows responses down. It lies before the router: a delay is no part of the route's
/// timeout, and an abort is neither retried nor held against a host.
/// </summary>
internal sealed class FaultFilter(FaultSettings settings, ActiveFaults active, FaultCounters counters, TimeProvider time, IRandomSource random) : HttpFilter
{
    private const string MetadataNamespace = "envoy.filters.http.fault";

    internal override bool MayReplaceResponse => settings.ResponseRateLimit is not null;

    public override string ToString() => string.Join(", ", Words());

    public override ValueTask OnRequestAsync(HttpExchange exchange, CancellationToken cancellationToken)
    {
        if (!Applies(exchange))
        {
            return ValueTask.CompletedTask;
        }

        if (settings.ResponseRateLimit is { } limit
            && (limit.KiBytesPerSecond ?? Number(exchange, "x-envoy-fault-throughput-response")) is > 0 and var rate
            && Share(exchange, limit.Share, limit.KiBytesPerSecond is null, "x-envoy-fault-throughput-response-percentage").Happens(random)
            && TryEnter(exchange))
        {
            counters.ResponseLimits.Increment();
            FaultState.Of(exchange).BytesPerSecond = Math.Min(rate, long.MaxValue / 1024) * 1024;
        }

        if (settings.Delay is { } delay
            && DurationOf(exchange, delay) is { } duration
            && duration >= TimeSpan.FromMilliseconds(1)
            && Share(exchange, delay.Share, delay.Duration is null, "x-envoy-fault-delay-request-percentage").Happens(random)
            && TryEnter(exchange))
        {
            counters.Delays.Increment();
            exchange.AddResponseFlag("DI");
            return DelayAsync(exchange, duration, cancellationToken);
        }

        Abort(exchange);
        return ValueTask.CompletedTask;
    }

    public override ValueTask OnResponseAsync(HttpExchange exchange, CancellationToken cancellationToken)
    {
        if (exchange.State is FaultState { BytesPerSecond: > 0 and var rate } state && !exchange.IsReplied)
        {
            // The fault lasts as long as the body.
            state.IsHandedOver = true;
            exchange.Adapter.TransformResponseBody(body => new ThrottledStream(body, rate, time), Exit);
        }

        return ValueTask.CompletedTask;
    }

    public override void OnEnd(HttpExchange exchange)
    {
        if (exchange.State is FaultState { IsActive: true, IsHandedOver: false })
        {
            Exit();
        }
    }

    private async ValueTask DelayAsync(HttpExchange exchange, TimeSpan duration, CancellationToken cancellationToken)
    {
        await Task.Delay(duration, time, cancellationToken).ConfigureAwait(false);
        Abort(exchange);
    }

    private void Abort(HttpExchange exchange)
    {
        if (settings.Abort is not { } abort)
        {
            return;
        }

        // With neither configured, the request says which; the HTTP status goes before the gRPC status.
        var isByHeader = abort is { HttpStatus: null, GrpcStatus: null };
        var httpStatus = isByHeader ? HttpStatusByHeader(exchange) : abort.HttpStatus;
        var grpcStatus = httpStatus is not null ? null : isByHeader ? (int?)Number(exchange, "x-envoy-fault-abort-grpc-request") : abort.GrpcStatus;
        if ((httpStatus is null && grpcStatus is null)
            || !Share(exchange, abort.Share, isByHeader, "x-envoy-fault-abort-request-percentage").Happens(random)
            || !TryEnter(exchange))
        {
            return;
        }

        if (settings.Metadata.Length > 0)
        {
            exchange.Metadata[MetadataNamespace] = JsonNode.Parse(settings.Metadata)!.AsObject();
        }

        counters.Aborts.Increment();
        exchange.Reply(FilterReplies.FaultAbort(httpStatus, grpcStatus).ToFilterReply());
    }

    private IEnumerable<string> Words()
    {
        if (settings.Delay is { } delay)
        {
            yield return $"delays {delay.Share} by {(delay.Duration is { } duration ? string.Create(CultureInfo.InvariantCulture, $"{duration.TotalSeconds:0.###} s") : "what x-envoy-fault-delay-request says")}";
        }

        if (settings.Abort is { } abort)
        {
            yield return $"answers {abort.Share} with {(abort.HttpStatus is { } status ? status.ToString(CultureInfo.InvariantCulture) : abort.GrpcStatus is { } grpc ? $"gRPC status {grpc}" : "what x-envoy-fault-abort-request says")}";
        }

        if (settings.ResponseRateLimit is { } limit)
        {
            yield return $"slows {limit.Share} down";
        }

        foreach (var header in settings.Headers)
        {
            yield return $"where {header}";
        }
    }

    private bool Applies(HttpExchange exchange)
    {
        if (settings.UpstreamCluster.Length > 0 && settings.UpstreamCluster != exchange.ClusterName)
        {
            return false;
        }

        if (settings.DownstreamNodes.Length > 0
            && (!exchange.RequestHeaders.TryGet("x-envoy-downstream-service-node", out var node) || !settings.DownstreamNodes.Contains(node)))
        {
            return false;
        }

        if (settings.Headers.Length > 0)
        {
            var view = EngineExchange.Of(exchange).View;
            foreach (var header in settings.Headers)
            {
                if (!header.IsMatch(view))
                {
                    return false;
                }
            }
        }

        return true;
    }

    // A request that suffers several faults counts once.
    private bool TryEnter(HttpExchange exchange)
    {
        var state = FaultState.Of(exchange);
        if (state.IsActive)
        {
            return true;
        }

        if (!active.TryEnter(settings.MaxActiveFaults))
        {
            counters.Overflow.Increment();
            return false;
        }

        counters.Active.Add(1);
        return state.IsActive = true;
    }

    private void Exit()
    {
        active.Exit();
        counters.Active.Add(-1);
    }

    private static TimeSpan? DurationOf(HttpExchange exchange, FaultDelay delay)
        => delay.Duration
            ?? (Number(exchange, "x-envoy-fault-delay-request") is { } milliseconds
                ? FaultCompiler.Limit(TimeSpan.FromMilliseconds(Math.Min(milliseconds, int.MaxValue)))
                : null);

    private static int? HttpStatusByHeader(HttpExchange exchange)
        => Number(exchange, "x-envoy-fault-abort-request") is >= 200 and < 600 and var status ? (int)status : null;

    // A header may lower the share that is configured, not raise it.
    private static Fraction Share(HttpExchange exchange, Fraction configured, bool isByHeader, string header)
        => isByHeader && Number(exchange, header) is { } numerator && numerator < configured.Numerator
            ? configured with { Numerator = (uint)numerator }
            : configured;

    private static ulong? Number(HttpExchange exchange, string header)
        => exchange.RequestHeaders.TryGet(header, out var text) && ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;
}
