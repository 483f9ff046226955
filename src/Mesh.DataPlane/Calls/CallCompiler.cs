using Envoy.Config.Core.V3;
using Mesh.DataPlane.Retry;
using Mesh.Xds.Client;
using CoreRetry = Envoy.Config.Core.V3.RetryPolicy;
using RetryPolicy = Mesh.DataPlane.Retry.RetryPolicy;

namespace Mesh.DataPlane.Calls;

/// <summary>Compiles what messages say of calls: <c>HttpUri</c>, <c>GrpcService</c>, the retry policy of both.</summary>
internal static class CallCompiler
{
    // Envoy's, where nothing else is said; the wait for an answer always ends.
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan MaxTimeout = TimeSpan.FromHours(1);
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(1);

    private const RetryOn DefaultRetryOn = RetryOn.ServerError | RetryOn.GatewayError | RetryOn.ConnectFailure | RetryOn.Reset;

    /// <summary>What is asked for, and how long the answer may take.</summary>
    public static (Uri Uri, TimeSpan Timeout) Uri(HttpUri message, string path)
    {
        // Istio writes collectors' without a scheme, host/path, and Envoy takes these two of either. What has no path is more likely one itself.
        var text = message.Uri.Contains("://", StringComparison.Ordinal) || message.Uri.IndexOf('/', StringComparison.Ordinal) <= 0 ? message.Uri : $"http://{message.Uri}";
        if (!System.Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.Host.Length == 0 || uri.UserInfo.Length > 0)
        {
            throw new ResourceRejectedException(path + ".uri", $"'{message.Uri}' is not the URI of an HTTP resource");
        }

        return message.Cluster.Length > 0
            ? (uri, Timeout(message.Timeout))
            : throw new ResourceRejectedException(path + ".cluster", "must be set");
    }

    /// <summary>Zero, which is none in Envoy, is as long as anything may take here.</summary>
    public static TimeSpan Timeout(Google.Protobuf.WellKnownTypes.Duration? message)
        => message is null ? DefaultTimeout
            : message.ToTimeSpan() is var timeout && timeout > TimeSpan.Zero && timeout < MaxTimeout ? timeout
            : MaxTimeout;

    /// <summary>The cluster of a gRPC service, with its authority, timeout and retries.</summary>
    /// <param name="message">The service.</param>
    /// <param name="path">Where it stands.</param>
    /// <param name="defaultTimeout">Where the service says nothing.</param>
    /// <param name="notes">What is not done.</param>
    public static ClusterTarget Grpc(GrpcService message, string path, TimeSpan defaultTimeout, ICollection<string> notes)
    {
        if (message.EnvoyGrpc is not { } envoy)
        {
            throw new ResourceRejectedException(path + ".google_grpc", "is not supported: name a cluster by envoy_grpc");
        }

        if (envoy.ClusterName.Length == 0)
        {
            throw new ResourceRejectedException(path + ".envoy_grpc.cluster_name", "must be set");
        }

        if (envoy.SkipEnvoyHeaders)
        {
            notes.Add(path + ".envoy_grpc.skip_envoy_headers is not applied");
        }

        return new ClusterTarget(
            envoy.ClusterName,
            message.Timeout is null ? defaultTimeout : Timeout(message.Timeout),
            Retry(envoy.RetryPolicy, path + ".envoy_grpc.retry_policy", notes) ?? Retry(message.RetryPolicy, path + ".retry_policy", notes))
        {
            Authority = envoy.Authority,
            MaxMessageBytes = envoy.MaxReceiveMessageLength is { } limit ? (int)Math.Min(limit, int.MaxValue) : 4 * 1024 * 1024,
        };
    }

    /// <returns><see langword="null"/> where nothing is tried again.</returns>
    public static RetryPolicy? Retry(CoreRetry? message, string path, ICollection<string> notes)
    {
        if (message is null)
        {
            return null;
        }

        var unknown = new List<string>();
        var on = message.RetryOn.Length == 0 ? DefaultRetryOn : RetryOnParser.Parse(message.RetryOn, unknown);
        if (unknown.Count > 0)
        {
            notes.Add($"{path}.retry_on: '{string.Join("', '", unknown)}' is no condition");
        }

        foreach (var (isSet, field) in new[]
            {
                (message.RetryPriority is not null, "retry_priority"),
                (message.RetryHostPredicate.Count > 0, "retry_host_predicate"),
                (message.HostSelectionRetryMaxAttempts != 0, "host_selection_retry_max_attempts"),
            })
        {
            if (isSet)
            {
                notes.Add($"{path}.{field} is not applied");
            }
        }

        return new RetryPolicy { On = on, NumRetries = message.NumRetries ?? 1, BackOff = BackOffOf(message.RetryBackOff, path + ".retry_back_off") };
    }

    private static BackOff BackOffOf(BackoffStrategy? message, string path)
    {
        if (message?.BaseInterval is not { } interval)
        {
            return BackOff.Default;
        }

        var least = interval.ToTimeSpan() is var given && given > Least ? given : Least;
        var most = message.MaxInterval?.ToTimeSpan() ?? (least > TimeSpan.MaxValue / 10 ? TimeSpan.MaxValue : least * 10);
        return most >= least ? new BackOff(least, most) : throw new ResourceRejectedException(path + ".max_interval", "must be at least base_interval");
    }
}
