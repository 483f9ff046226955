using System.Globalization;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Retry.Host.PreviousHosts.V3;
using Envoy.Extensions.Retry.Priority.PreviousPriorities.V3;
using Google.Protobuf.WellKnownTypes;
using Istio.Networking.V1Alpha3;

namespace Mesh.ControlPlane.Generators;

/// <summary>What <c>http.retries</c> means to Envoy, and what Istio sends where nothing is written.</summary>
internal static class RetryPolicyTranslator
{
    private const string StatusCodes = "retriable-status-codes";

    /// <summary>Istio names the status codes without giving any, so that <c>x-envoy-retriable-status-codes</c> of a request counts.</summary>
    private const string DefaultConditions = "connect-failure,refused-stream,unavailable,cancelled," + StatusCodes;

    private const uint DefaultAttempts = 2;

    private const int HostSelectionAttempts = 5;

    /// <summary>What gRPC libraries act upon (gRFC A44).</summary>
    private static readonly HashSet<string> GrpcConditions = new(StringComparer.Ordinal)
    {
        "cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable",
    };

    private static readonly Any PreviousHosts = Any.Pack(new PreviousHostsPredicate());

    // Every second retry looks at the priorities anew.
    private static readonly Any PreviousPriorities = Any.Pack(new PreviousPrioritiesConfig { UpdateFrequency = 2 });

    /// <param name="kind">Who reads it.</param>
    /// <param name="retries">The rule's; <see langword="null"/>: the defaults.</param>
    /// <param name="consistentHash">Whether the destination is chosen by a hash: a retry then stays with its host.</param>
    /// <param name="retry503">Whether the default conditions hold a status of 503, as older versions of Istio had it.</param>
    /// <returns>The policy, or <see langword="null"/> when nothing is retried.</returns>
    public static RetryPolicy? Translate(ProxyKind kind, HTTPRetry? retries, bool consistentHash, bool retry503)
    {
        if (retries is { Attempts: <= 0 })
        {
            return null;
        }

        var policy = new RetryPolicy { NumRetries = retries is null ? DefaultAttempts : (uint)retries.Attempts, RetryOn = DefaultConditions };
        if (retries is { RetryOn.Length: > 0 })
        {
            SetConditions(policy, retries.RetryOn);
        }
        else if (retry503)
        {
            policy.RetriableStatusCodes.Add(503);
        }

        if (retries?.Backoff is { } backoff)
        {
            policy.RetryBackOff = new RetryPolicy.Types.RetryBackOff { BaseInterval = backoff };
        }

        return kind == ProxyKind.Grpc ? ForGrpc(policy) : AddEnvoySettings(policy, retries, consistentHash);
    }

    private static RetryPolicy AddEnvoySettings(RetryPolicy policy, HTTPRetry? retries, bool consistentHash)
    {
        policy.PerTryTimeout = retries?.PerTryTimeout;
        policy.HostSelectionRetryMaxAttempts = HostSelectionAttempts;
        if (retries?.RetryIgnorePreviousHosts ?? !consistentHash)
        {
            policy.RetryHostPredicate.Add(new RetryPolicy.Types.RetryHostPredicate
            {
                Name = "envoy.retry_host_predicates.previous_hosts",
                TypedConfig = PreviousHosts,
            });
        }

        if (retries?.RetryRemoteLocalities == true)
        {
            policy.RetryPriority = new RetryPolicy.Types.RetryPriority
            {
                Name = "envoy.retry_priorities.previous_priorities",
                TypedConfig = PreviousPriorities,
            };
        }

        return policy;
    }

    private static RetryPolicy? ForGrpc(RetryPolicy policy)
    {
        policy.RetryOn = string.Join(',', policy.RetryOn.Split(',').Where(GrpcConditions.Contains));
        policy.RetriableStatusCodes.Clear();
        return policy.RetryOn.Length == 0 ? null : policy;
    }

    /// <summary>Numbers among the conditions are status codes.</summary>
    private static void SetConditions(RetryPolicy policy, string retryOn)
    {
        var conditions = new List<string>();
        foreach (var part in retryOn.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (uint.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var code))
            {
                policy.RetriableStatusCodes.Add(code);
            }
            else
            {
                conditions.Add(part);
            }
        }

        if (policy.RetriableStatusCodes.Count > 0 && !conditions.Contains(StatusCodes))
        {
            conditions.Add(StatusCodes);
        }

        policy.RetryOn = string.Join(',', conditions);
    }
}
