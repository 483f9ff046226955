using Envoy.Extensions.Retry.Host.PreviousHosts.V3;
using Envoy.Extensions.Retry.Priority.PreviousPriorities.V3;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Timeouts;
using Mesh.Xds.Client;
using EnvoyHedge = Envoy.Config.Route.V3.HedgePolicy;
using EnvoyRetry = Envoy.Config.Route.V3.RetryPolicy;

namespace Mesh.DataPlane.Retry;

/// <summary>Compiles retry and hedge policies.</summary>
internal static class RetryPolicyCompiler
{
    private static readonly TimeSpan DefaultMaxReset = TimeSpan.FromSeconds(300);

    public static RetryPolicy? Compile(EnvoyRetry? message, string path, ICollection<string> notes)
    {
        if (message is null)
        {
            return null;
        }

        var unknown = new List<string>();
        var on = RetryOnParser.Parse(message.RetryOn, unknown);
        if (unknown.Count > 0)
        {
            notes.Add($"{path}.retry_on: '{string.Join("', '", unknown)}' is no condition");
        }

        if (message.RefreshClusterOnRetry)
        {
            notes.Add($"{path}.refresh_cluster_on_retry is not applied");
        }

        if (message.RetryOptionsPredicates.Count > 0)
        {
            notes.Add($"{path}.retry_options_predicates is not applied");
        }

        return new RetryPolicy
        {
            On = on,
            NumRetries = message.NumRetries ?? 1,
            PerTryTimeout = TimeoutPolicyCompiler.Value(message.PerTryTimeout, path + ".per_try_timeout") ?? TimeSpan.Zero,
            PerTryIdleTimeout = TimeoutPolicyCompiler.Value(message.PerTryIdleTimeout, path + ".per_try_idle_timeout") ?? TimeSpan.Zero,
            StatusCodes = [.. message.RetriableStatusCodes],
            ResponseHeaders = [.. message.RetriableHeaders.Select((h, i) => MatcherCompiler.Header(h, $"{path}.retriable_headers[{i}]"))],
            RequestHeaders = [.. message.RetriableRequestHeaders.Select((h, i) => MatcherCompiler.Header(h, $"{path}.retriable_request_headers[{i}]"))],
            BackOff = CompileBackOff(message.RetryBackOff, path + ".retry_back_off"),
            RateLimitedBackOff = Compile(message.RateLimitedRetryBackOff),
            AvoidsPreviousHosts = CompilePredicates(message, path, notes),
            HostSelectionRetries = (uint)Math.Clamp(message.HostSelectionRetryMaxAttempts == 0 ? 1 : message.HostSelectionRetryMaxAttempts, 1, 1000),
            PreviousPrioritiesUpdateFrequency = CompilePriority(message.RetryPriority, path + ".retry_priority"),
        };
    }

    public static HedgePolicy? Compile(EnvoyHedge? message, string path, ICollection<string> notes)
    {
        if (message is null)
        {
            return null;
        }

        // Envoy documents both and implements neither.
        if (message.InitialRequests is > 1)
        {
            notes.Add($"{path}.initial_requests is not applied");
        }

        if (message.AdditionalRequestChance is { Numerator: > 0 })
        {
            notes.Add($"{path}.additional_request_chance is not applied");
        }

        return message.HedgeOnPerTryTimeout ? new HedgePolicy(OnPerTryTimeout: true) : null;
    }

    private static BackOff CompileBackOff(EnvoyRetry.Types.RetryBackOff? message, string path)
    {
        if (message is null)
        {
            return BackOff.Default;
        }

        // Envoy raises anything below a millisecond to one.
        var least = TimeSpan.FromMilliseconds(1);
        var interval = TimeoutPolicyCompiler.Value(message.BaseInterval, path + ".base_interval") ?? BackOff.Default.Base;
        interval = interval < least ? least : interval;
        var max = TimeoutPolicyCompiler.Value(message.MaxInterval, path + ".max_interval") ?? (interval > TimeSpan.MaxValue / 10 ? TimeSpan.MaxValue : interval * 10);
        max = max < least ? least : max;
        return max >= interval ? new BackOff(interval, max) : throw new ResourceRejectedException(path + ".max_interval", "must be at least base_interval");
    }

    private static RateLimitedBackOff? Compile(EnvoyRetry.Types.RateLimitedRetryBackOff? message)
        => message is null
            ? null
            : new RateLimitedBackOff(
                [.. message.ResetHeaders.Select(h => new RateLimitedBackOff.ResetHeader(h.Name, h.Format == EnvoyRetry.Types.ResetHeaderFormat.UnixTimestamp))],
                message.MaxInterval?.ToTimeSpan() ?? DefaultMaxReset);

    private static bool CompilePredicates(EnvoyRetry message, string path, ICollection<string> notes)
    {
        var previousHosts = false;
        for (var i = 0; i < message.RetryHostPredicate.Count; i++)
        {
            var predicate = message.RetryHostPredicate[i];
            var config = predicate.TypedConfig;
            if (config?.Is(PreviousHostsPredicate.Descriptor) == true || (config is null && predicate.Name == "envoy.retry_host_predicates.previous_hosts"))
            {
                previousHosts = true;
            }
            else
            {
                // Predicates only prefer one host to another: a retry without this one is still a retry.
                notes.Add($"{path}.retry_host_predicate[{i}] '{predicate.Name}' is not applied");
            }
        }

        return previousHosts;
    }

    private static uint CompilePriority(EnvoyRetry.Types.RetryPriority? priority, string path)
    {
        if (priority is null)
        {
            return 0;
        }

        return priority.TypedConfig?.Is(PreviousPrioritiesConfig.Descriptor) == true
            ? (uint)WireMessage.Parse(PreviousPrioritiesConfig.Parser, priority.TypedConfig.Value, path).UpdateFrequency
            : throw new ResourceRejectedException(path, $"'{priority.Name}' is not supported");
    }
}
